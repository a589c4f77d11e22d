"""The redis-server process: started once, known for sure, outliving its agent.

A pid alone says nothing after a reboot or a restart. A process is ours only when its pid,
its start time and its working directory agree with the record; the node id is compared by
the supervisor, which can ask for it.
"""

import contextlib
import json
import os
import select
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from guestagent.directory import InstanceDirectory, write_private
from slotwright.domain.errors import EngineFailed
from slotwright.engine import Engine

_STATE, _START_TIME = 0, 19  # fields of /proc/PID/stat after the command's name


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """Who runs, as ``redis.proc`` keeps it."""

    pid: int
    start_time: int  # clock ticks since boot, /proc/PID/stat field 22
    binary: str
    version: str
    node_id: str | None = None


def start_time(pid: int) -> int | None:
    """When a live process started, in clock ticks; None when there is none (or a zombie)."""
    try:
        text = Path(f'/proc/{pid}/stat').read_text('ascii', 'replace')
    except OSError:
        return None
    fields = text.rpartition(')')[2].split()
    return None if fields[_STATE] in 'ZX' else int(fields[_START_TIME])


def working_directory(pid: int) -> str | None:
    return _link(f'/proc/{pid}/cwd')


def executable(pid: int) -> str | None:
    """The path of the running binary, also when it was replaced meanwhile."""
    path = _link(f'/proc/{pid}/exe')
    return path.removesuffix(' (deleted)') if path else None


def command_name(pid: int) -> str:
    """What /proc/PID/comm says, '' when there is no such process."""
    try:
        return Path(f'/proc/{pid}/comm').read_text('utf-8', 'replace').strip()
    except OSError:
        return ''


def is_server(pid: int) -> bool:
    """Whether the process may be a redis-server, by whichever name it was started."""
    names = command_name(pid), os.path.basename(executable(pid) or '')
    return any(name.endswith('-server') for name in names)


def _reaped(pid: int) -> bool:
    """Collect a child that ended; False while threads of it still live.

    The kernel shows a process as a zombie when its main thread ended, yet hands it over
    with the last thread only, and Redis has several.
    """
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:  # adopted, so its end is somebody else's to collect
        return True


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None


class ServerProcess:
    """At most one live redis-server in the instance's data directory.

    Not locked: the supervisor calls one method at a time, but for ``alive``, which anybody
    may call at any time.
    """

    def __init__(
        self,
        directory: InstanceDirectory,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._sleep = sleep
        self._exit: int | None = None  # pidfd
        self._gone = False  # ended and reaped; its pid may be somebody else's by now
        self.record: ProcessRecord | None = None

    def find(self, engine: Engine | None) -> bool:
        """Look for a process that an earlier agent started; True when it lives.

        The record is believed when everything agrees. Without one (an agent killed
        between the start and the writing), the data directory tells whose a server is.
        """
        record = self._read_record()
        if record is None or not self._is_ours(record):
            record = self._search(engine) if engine is not None else None
        if record is None:
            return False
        self._keep(record)
        return True

    def find_any(self) -> bool:
        """As ``find``, for who does not know the engine: then the name has to do."""
        record = self._read_record()
        if record is None or not self._is_ours(record):
            record = self._search(None)
        if record is None:
            return False
        self._keep(record)
        return True

    def start(self, engine: Engine) -> None:
        """Start redis-server on our redis.conf, in a session of its own.

        :raises EngineFailed: when it cannot be executed.
        """
        data = self._directory.data
        log = str(self._directory.redis_log)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        try:
            pid = os.posix_spawn(
                engine.binary,
                [engine.binary, str(self._directory.redis_conf)],
                # Nothing else of our environment: it may hold the broker's password.
                {'PATH': os.environ.get('PATH', os.defpath), 'LC_ALL': 'C'},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, log, flags, 0o600),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ],
                setsid=True,
                setsigmask=[],
                setsigdef=[signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM],
            )
        except OSError as e:
            raise EngineFailed(f'{engine.binary} does not start: {e}') from e
        started = start_time(pid)
        if started is None:
            _reaped(pid)
            raise EngineFailed(f'{engine.binary} ended at once, see {log}; data in {data}')
        self._keep(ProcessRecord(pid, started, engine.binary, engine.version))

    def alive(self) -> bool:
        """Whether the process runs; a dead child is reaped on the way."""
        record = self.record
        if record is None or self._gone:
            return False
        if start_time(record.pid) == record.start_time:
            return True
        self._gone = _reaped(record.pid)
        return not self._gone

    def name_node(self, node_id: str) -> None:
        """Add to the record which Redis node the process is."""
        if self.record is not None and self.record.node_id != node_id:
            self.record = replace(self.record, node_id=node_id)
            self._write_record()

    def stop(self, grace: float) -> None:
        """SIGTERM, after ``grace`` seconds SIGKILL, until the process is gone.

        SIGTERM makes Redis write out its append-only file.
        """
        if self.alive() and grace > 0:
            self._signal(signal.SIGTERM)
            self._await_end(grace)
        if self.alive():
            self._signal(signal.SIGKILL)
            self._await_end(60.0)
        self.forget()

    def forget(self) -> None:
        """Let go of a process that ended."""
        if self._exit is not None:
            os.close(self._exit)
        self._exit = None
        self.record = None
        self._directory.process_record.unlink(missing_ok=True)

    def release(self) -> None:
        """Let go of the process without touching it: it outlives us."""
        if self._exit is not None:
            os.close(self._exit)
        self._exit = None
        self.record = None

    def exit_descriptor(self) -> int | None:
        """A copy of the pidfd, readable when the process ended; the caller closes it."""
        return None if self._exit is None else os.dup(self._exit)

    def _keep(self, record: ProcessRecord) -> None:
        self.release()  # a predecessor that ended
        self.record = record
        self._gone = False
        # ProcessLookupError: it ended already, and ``alive`` will tell.
        # Other errors: a kernel before 5.3; the watcher then looks now and again.
        with contextlib.suppress(OSError):
            self._exit = os.pidfd_open(record.pid)
        self._write_record()

    def _write_record(self) -> None:
        if self.record is not None:
            write_private(self._directory.process_record, json.dumps(asdict(self.record)))

    def _read_record(self) -> ProcessRecord | None:
        try:
            return ProcessRecord(**json.loads(self._directory.process_record.read_text('utf-8')))
        except (OSError, ValueError, TypeError):
            return None

    def _is_ours(self, record: ProcessRecord) -> bool:
        return start_time(record.pid) == record.start_time and working_directory(
            record.pid
        ) == os.path.realpath(self._directory.data)

    def _search(self, engine: Engine | None) -> ProcessRecord | None:
        data = os.path.realpath(self._directory.data)
        if not os.path.isdir(data):
            return None  # nobody can work there, and /proc may be long
        for pid in (int(name) for name in os.listdir('/proc') if name.isdigit()):
            if working_directory(pid) != data:
                continue
            started = start_time(pid)
            if started is None:
                continue
            if engine is None and is_server(pid):
                return ProcessRecord(pid, started, executable(pid) or '', '')
            if engine is not None and executable(pid) == os.path.realpath(engine.binary):
                return ProcessRecord(pid, started, engine.binary, engine.version)
        return None

    def _signal(self, number: signal.Signals) -> None:
        """Signal the very process of the record: a pidfd cannot mean another one."""
        assert self.record is not None
        with contextlib.suppress(ProcessLookupError):
            if self._exit is not None:
                signal.pidfd_send_signal(self._exit, number)
            elif self._is_ours(self.record):
                os.kill(self.record.pid, number)

    def _await_end(self, patience: float) -> None:
        deadline = self._clock() + patience
        while self.alive() and self._clock() < deadline:
            if self._exit is None:
                self._sleep(0.02)
            else:
                ending = select.poll()  # select() refuses descriptors above 1023
                ending.register(self._exit, select.POLLIN)
                ending.poll(100)
