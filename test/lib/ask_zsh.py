#!/usr/bin/env python3
"""ask_zsh.py SCRIPT LINE: what zsh would offer at the end of LINE, one a line.

A real zsh on a terminal of its own: its completion system runs inside a key's widget and nowhere else.
compadd is wrapped, so that what is offered is seen as zsh keeps it, not as it is drawn.
"""
import os
import pty
import select
import sys
import time

SETUP = r"""
PS1= PS2= RPS1=
unsetopt zle_bracketed_paste prompt_cr prompt_sp
autoload -Uz compinit && compinit -u -D
source %s
compadd() {
    if (( ${@[(I)-O]} + ${@[(I)-A]} + ${@[(I)-D]} )); then
        builtin compadd "$@"
        return
    fi
    local -a found
    builtin compadd -O found "$@"
    print -rl -- $found >>$OFFERS
    builtin compadd "$@"
}
ask() { zle complete-word; print -r -- done >>$OFFERS.end }
zle -C complete-word complete-word _main_complete
zle -N ask
bindkey '^T' ask
print -r -- ready >>$OFFERS.end
"""
LIMIT_S = 20


def wait_for(terminal, path, word):
    """Until the file says so; what the terminal shows meanwhile is taken off it."""
    end = time.monotonic() + LIMIT_S
    shown = b""
    while not (os.path.exists(path) and word in open(path).read()):
        if time.monotonic() > end:
            sys.exit(f"zsh did not say {word}: {shown[-2000:]!r}")
        if select.select([terminal], [], [], 0.02)[0]:
            try:
                shown += os.read(terminal, 65536)
            except OSError:
                sys.exit(f"zsh ended: {shown[-2000:]!r}")


def main():
    script, line = os.path.abspath(sys.argv[1]), sys.argv[2]
    offers = os.path.abspath(f"zsh-offers-{os.getpid()}")
    setup = offers + ".setup"
    with open(setup, "w") as file:
        file.write(SETUP % script)
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(OFFERS=offers, TERM="dumb")
        os.execvp("zsh", ["zsh", "-f", "-i"])
    os.write(terminal, f"source {setup}\n".encode())
    wait_for(terminal, offers + ".end", "ready")
    os.write(terminal, line.encode() + b"\x14")
    wait_for(terminal, offers + ".end", "done")
    os.kill(child, 9)
    os.waitpid(child, 0)
    if os.path.exists(offers):
        # An option is offered twice where its description is, too.
        print("\n".join(dict.fromkeys(filter(None, open(offers).read().split("\n")))))


main()
