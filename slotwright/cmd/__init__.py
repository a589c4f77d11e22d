"""Entry points of the daemons and tools."""

import warnings

# oslo.service, below oslo.messaging, imports eventlet where it is installed. We run on
# threads, so its deprecation is no news to whoever starts a daemon.
warnings.filterwarnings('ignore', message='(?s).*Eventlet is deprecated')
