"""Entry points of the daemons and tools."""

import os
import warnings

# oslo.service, below oslo.messaging, imports eventlet where it is installed. We run on
# threads, so its deprecation is no news to whoever starts a daemon.
warnings.filterwarnings('ignore', message='(?s).*Eventlet is deprecated')
# Nobody asks DNS through it either; without dnspython it is there in half the time
# (measured: 0.01 instead of 0.25 s of CPU, in each of many agents).
os.environ.setdefault('EVENTLET_NO_GREENDNS', 'yes')
