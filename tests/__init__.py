"""Tests of Slotwright, run by stestr; `make test` runs them all.

What holds for every test is set here, once: a warning that our own code causes is an error, and
property tests run with the profile named by HYPOTHESIS_PROFILE.
"""

import logging
import os
import warnings

import hypothesis

OURS = r'(api|guestagent|slotwright|taskmanager|tests)(\.|$)'

warnings.filterwarnings('error', module=OURS)
# Said by oslo.messaging 18 about itself when its classes are used as documented.
warnings.filterwarnings('ignore', module=OURS, category=DeprecationWarning, message='.*[Ee]ventlet')

# Their debug output (every frame, every plugin) would bury ours in the log of a failed test.
for chatty in ('amqp', 'kombu', 'stevedore', 'urllib3'):
    logging.getLogger(chatty).setLevel(logging.INFO)

# Without a handler the log goes to stderr, where the tracebacks of passing tests hide the failed
# ones. tests.base.TestCase shows the log of a test that fails.
logging.lastResort = None

# No deadline anywhere: a shared machine with two cores pauses at will. The same examples each
# time, so that no change is refused by chance; ``deep`` draws them at random, and a failure prints
# the blob that reproduces it.
hypothesis.settings.register_profile(
    'ci',
    deadline=None,
    derandomize=True,
    max_examples=100,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile(
    'deep', hypothesis.settings.get_profile('ci'), derandomize=False, max_examples=5000
)
hypothesis.settings.load_profile(os.environ.get('HYPOTHESIS_PROFILE', 'ci'))
