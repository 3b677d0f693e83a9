# SPDX-License-Identifier: BSD-3-Clause
"""Child processes with captured output, bounded waits and a clean end whatever happens.

Output is read by a thread, so that a child never blocks on it; waits are for text that must appear
or for the exit, each with a deadline. Children still alive when Python ends are killed by pid.
"""
import atexit
import os
import pty
import re
import signal
import subprocess
import threading
import time
import tty

LIVE = {}


class Timeout(AssertionError):
    """Something did not happen in time."""


def cleanup():
    """Kill and reap every child that is still alive."""
    for child in list(LIVE.values()):
        child.kill()


atexit.register(cleanup)


class Child:
    """A program with a pipe to its input and a pseudo terminal or pipes behind its output.

    terminal=True keeps stdio in the child line buffered and in order with what it writes raw.
    log, if given, is the path of a file that receives all output.
    """

    def __init__(self, argv, log=None, terminal=False, env=None, cwd=None):
        self.argv, self.log = argv, log
        self.text, self.grown, self.closed = "", threading.Condition(), False
        self.logfile = open(log, "ab", buffering=0) if log else None
        if terminal:
            source, sink = pty.openpty()
            tty.setraw(sink)
        else:
            source, sink = os.pipe()
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=sink, stderr=sink,
                                        env=env, cwd=cwd, start_new_session=True)
        os.close(sink)
        self.pid = self.process.pid
        LIVE[self.pid] = self
        self.reader = threading.Thread(target=self._read, args=(source,), daemon=True)
        self.reader.start()

    def _read(self, source):
        while True:
            try:
                data = os.read(source, 1 << 16)
            except OSError:
                data = b""
            with self.grown:
                if data:
                    self.text += data.decode("utf-8", "replace")
                else:
                    self.closed = True
                self.grown.notify_all()
            if not data:
                os.close(source)
                return
            if self.logfile:
                self.logfile.write(data)

    def send(self, line):
        """Write one line to the child's input."""
        self.process.stdin.write((line + "\n").encode())
        self.process.stdin.flush()

    def expect(self, pattern, timeout, start=0):
        """Wait until pattern is found in the output from offset start: the match object."""
        wanted, deadline = re.compile(pattern), time.monotonic() + timeout
        with self.grown:
            while True:
                found = wanted.search(self.text, start)
                if found:
                    return found
                left = deadline - time.monotonic()
                if self.closed or left <= 0:
                    why = "ended" if self.closed else f"silent for {timeout} s"
                    raise Timeout(f"{self.argv[0]} {why} before {pattern!r}; last output:\n"
                                  + self.text[-1500:])
                self.grown.wait(left)

    def alive(self):
        """Whether the process still runs."""
        return self.process.poll() is None

    def wait(self, timeout):
        """The exit code (negative: signal); Timeout if it does not come."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Timeout(f"{self.argv[0]} did not end in {timeout} s") from None
        self.reader.join(2)
        self._forget()
        return code

    def signal(self, number):
        """Send a signal to the process."""
        self.process.send_signal(number)

    def kill(self):
        """SIGKILL and reap, without complaint if it is gone."""
        if self.alive():
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.reader.join(1)
        self._forget()

    def _forget(self):
        LIVE.pop(self.pid, None)
        if not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        if self.logfile and not self.reader.is_alive():
            self.logfile.close()
            self.logfile = None


def run(argv, timeout=30, env=None, check=True, stdin=None):
    """Run to the end: CompletedProcess with text output. A code other than 0 raises if check."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, env=env,
                              input=stdin)
    except subprocess.TimeoutExpired:
        raise Timeout(f"{' '.join(argv)} did not end in {timeout} s") from None
    if check and done.returncode:
        raise AssertionError(f"{' '.join(argv)}: exit code {done.returncode}: "
                             f"{(done.stderr or done.stdout).strip()[-1500:]}")
    return done


def until(condition, timeout, what, step=0.02):
    """Poll condition until it is true and return its value; Timeout says what was awaited."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise Timeout(f"{what}: not within {timeout} s")
        time.sleep(step)
