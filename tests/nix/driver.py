"""Runs the script of a VM test where nothing boots: machines have the methods of NixOS' test driver, with its arguments, and
say yes to everything. What a machine prints as JSON is a value that has whatever the script looks for, and assertions are
evaluated without being believed. So a misspelt method, argument or variable fails, and no promise is proven."""
import ast
import contextlib
import json
from unittest import mock


class Anything:
    """A value of JSON, whatever it is used as."""

    def __getitem__(self, _):
        return self

    def __iter__(self):
        return iter([self])

    def __contains__(self, _):
        return True

    def __len__(self):
        return 1

    def __lt__(self, _):
        return False

    def get(self, _, default=None):
        return default

    def __str__(self):
        return "anything"

    __format__ = lambda self, _: str(self)
    __hash__ = object.__hash__


class Machine:
    """The methods of `BaseMachine` and `QemuMachine` in nixos/lib/test-driver that tests may use."""

    def __init__(self, name):
        self.name, self.commands = name, []

    def start(self, allow_reboot: bool = False): ...
    def shutdown(self): ...
    def crash(self): ...
    def reboot(self): ...
    def block(self): ...
    def unblock(self): ...
    def sleep(self, secs: int): ...
    def wait_for_unit(self, unit: str, user: str | None = None, timeout: int = 900): ...
    def wait_for_file(self, filename: str, timeout: int = 900): ...
    def wait_for_open_port(self, port: int, addr: str = "localhost", timeout: int = 900): ...
    def wait_for_closed_port(self, port: int, addr: str = "localhost", timeout: int = 900): ...
    def wait_for_shutdown(self): ...
    def log(self, msg: str): ...

    def _ran(self, *commands):
        if not all(isinstance(command, str) for command in commands):
            raise TypeError(f"{self.name} is given {commands}")
        self.commands += commands
        # A number, a word, an address with a port: scripts take it apart as all of these.
        return "127.0.0.1:1"

    def succeed(self, *commands: str, timeout: int | None = None):
        return self._ran(*commands)

    def fail(self, *commands: str, timeout: int | None = None):
        return self._ran(*commands)

    def execute(self, command: str, check_return: bool = True, check_output: bool = True, timeout: int | None = 900):
        return 0, self._ran(command)

    def wait_until_succeeds(self, command: str, timeout: int = 900):
        return self._ran(command)

    def wait_until_fails(self, command: str, timeout: int = 900):
        return self._ran(command)


class Disbelief(ast.NodeTransformer):
    """Evaluates what is asserted, and goes on."""

    def visit_Assert(self, node):
        told = [node.test] + ([node.msg] if node.msg else [])
        return [ast.copy_location(ast.Expr(value), node) for value in told]


def run(file, machines, script):
    """The commands that each machine is given, and the names of the subtests."""
    nodes = {name.replace("-", "_"): Machine(name) for name in machines}
    subtests = []

    @contextlib.contextmanager
    def subtest(name: str):
        subtests.append(name)
        yield

    def start_all(): ...

    symbols = dict(subtest=subtest, start_all=start_all, machines=list(nodes.values()), print=lambda *_: None, **nodes)
    if len(nodes) == 1:
        symbols["machine"] = next(iter(nodes.values()))
    tree = ast.fix_missing_locations(Disbelief().visit(ast.parse(script, file)))
    with mock.patch.object(json, "loads", lambda _: Anything()):
        exec(compile(tree, file, "exec"), symbols)
    return {machine.name: machine.commands for machine in nodes.values()}, subtests
