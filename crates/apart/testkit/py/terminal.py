"""Runs a command on a terminal of its own, and answers what it asks there.

    terminal.py < SCRIPT

SCRIPT is a JSON object:

    command    a list: the program and its arguments
    input      text for its standard input, or null: the terminal is its standard input
    dialogue   null: the command gets no terminal at all; else a list of
               {"expect": TEXT, "answer": TEXT, "hidden": BOOL}: once TEXT is printed after what was
               answered before, ANSWER and a line end are typed; with "hidden", only after the
               terminal has stopped to echo

Prints a JSON object: code, the exit code, and output, all that was printed on the terminal.
"""

import json
import os
import pty
import select
import subprocess
import sys
import termios
import time

SECONDS_MAX = 60


def main():
    script = json.load(sys.stdin)
    if script["dialogue"] is None:
        code, output = without_terminal(script)
    else:
        code, output = on_terminal(script)
    json.dump({"code": code, "output": output}, sys.stdout)


def without_terminal(script):
    done = subprocess.run(
        script["command"],
        input=(script["input"] or "").encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    return done.returncode, done.stdout.decode(errors="replace")


def on_terminal(script):
    child, terminal = pty.fork()
    if child == 0:
        become(script)
    try:
        output = talk(terminal, script["dialogue"])
    except BaseException:
        os.kill(child, 9)
        raise
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), output


def become(script):
    if script["input"] is not None:
        reader, writer = os.pipe()
        os.write(writer, script["input"].encode())
        os.close(writer)
        os.dup2(reader, 0)
    try:
        os.execvp(script["command"][0], script["command"])
    finally:
        os._exit(127)


def talk(terminal, dialogue):
    end = time.monotonic() + SECONDS_MAX
    output, answered = "", 0
    waiting = list(dialogue)
    while True:
        if waiting and waiting[0]["expect"] in output[answered:]:
            turn = waiting.pop(0)
            if turn["hidden"]:
                wait_for_silence(terminal, end)
            answered = len(output)
            os.write(terminal, turn["answer"].encode() + b"\n")
        part = read(terminal, end, output, waiting)
        if not part:
            return output
        output += part.decode(errors="replace")


def read(terminal, end, output, waiting):
    ready, _, _ = select.select([terminal], [], [], max(0, end - time.monotonic()))
    if not ready:
        raise TimeoutError(f"it neither ended nor asked {waiting[:1]}; it printed:\n{output}")
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux reports an error once the other end is closed.
        return b""


def wait_for_silence(terminal, end):
    while termios.tcgetattr(terminal)[3] & termios.ECHO:
        if time.monotonic() > end:
            raise TimeoutError("the terminal still echoes what is typed")
        time.sleep(0.005)


main()
