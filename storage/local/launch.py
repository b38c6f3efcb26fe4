"""Run as a script: drops to a user, ties its life to the process that started it, then becomes the program.

Arguments: PARENT_PID DEATH_SIGNAL UID GID MEMORY PROGRAM [ARGUMENT ...]; UID and GID -1 keep the user, MEMORY is in
bytes for each process, and 0 sets no limit.
A separate program, since `preexec_fn` may deadlock in a process that has threads.
"""

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    parent, death_signal, uid, gid, memory = (int(argument) for argument in sys.argv[1:6])
    program = sys.argv[6:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After setuid, because a change of user clears it (prctl(2)).
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if memory:
            # Private memory only: shared buffers do not count (getrlimit(2)).
            resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    if os.getppid() != parent:
        sys.exit("The process that started this one is gone.")
    # Python ignores these two, and ignored signals stay ignored across exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.execv(program[0], program)


if __name__ == "__main__":
    main()
