"""Start a server and let a network learn handwritten digits through it, with the SDK alone.

Run it as scripts/demo, which makes .venv first.
"""

import argparse
import json
import os
import secrets
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import demo_data
from demo_view import Step, View, megabytes

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hanami_sdk import cluster, dataset, hanami_token, hosts, task  # noqa: E402
from hanami_sdk.hanami_exceptions import HanamiException  # noqa: E402
from tests.server import KERNEL_CACHE_DIR, ServerFailedError, ServerProcess  # noqa: E402

USER_ID = "demo"
PAGE_ROWS = 10_000  # the most rows that one call may ask for
POLL_S = 0.05
START_TIMEOUT_S = 900.0  # the first start compiles the kernels
INTERRUPTED_STATUS = 130

TEMPLATE = """\
version: 1
settings:
    neuron_cooldown: 1000000000.0
hexagons:
    1,1,1
    2,1,1
    3,1,1
inputs:
    picture: 1,1,1
outputs:
    label: 3,1,1
"""


class DemoFailedError(Exception):
    """Something did not go as it should; the text is for the person."""


class Demo:
    """The whole job on one running server."""

    def __init__(self, view: View, address: str, passphrase: str, data: demo_data.Dataset) -> None:
        self._view = view
        self._address = address
        self._data = data
        self._token = hanami_token.request_token(address, USER_ID, passphrase)
        self.cluster_uuid = ""
        self.request_uuid = ""

    def run(self, number_of_epochs: int) -> float:
        """Upload, create, train, ask; return the accuracy in percent."""
        count = len(json.loads(hosts.list_hosts(self._token, self._address))["body"])
        self._view.line("hosts", f"{count} (cpu)" if count == 1 else str(count))
        train_uuid = self._upload("upload train", "demo_train", self._data.train)
        test_uuid = self._upload("upload test", "demo_test", self._data.test)
        with self._view.step("cluster") as step:
            answer = cluster.create_cluster(self._token, self._address, "demo_cluster", TEMPLATE)
            self.cluster_uuid = json.loads(answer)["uuid"]
            step.result = "3 hexagons: input, hidden, output"
        self._train(train_uuid, number_of_epochs)
        self._request(test_uuid)
        return self._accuracy()

    def _upload(self, label: str, name: str, part: demo_data.Part) -> str:
        with self._view.step(label) as step:
            uuid = dataset.upload_mnist_files(
                self._token, self._address, name, part.images, part.labels, progress=step.update
            )
            step.result = f"{part.count:,} images, {megabytes(part.size_bytes)}"
        return uuid

    def _train(self, dataset_uuid: str, number_of_epochs: int) -> None:
        with self._view.step("train") as step:
            answer = task.create_train_task(
                self._token,
                self._address,
                "demo_train",
                self.cluster_uuid,
                [link(dataset_uuid, "picture")],
                [link(dataset_uuid, "label")],
                number_of_epochs=number_of_epochs,
            )
            cycles = self._wait(step, json.loads(answer)["uuid"])
            epochs = f"{number_of_epochs} epoch" + ("s" if number_of_epochs > 1 else "")
            step.result = f"{cycles:,} cycles, {epochs}"
            step.rate_count, step.rate_unit = cycles, "cycles"

    def _request(self, dataset_uuid: str) -> None:
        with self._view.step("request") as step:
            answer = task.create_request_task(
                self._token,
                self._address,
                "demo_request",
                self.cluster_uuid,
                [link(dataset_uuid, "picture")],
                [{"dataset_column": "digit", "hexagon_name": "label"}],
            )
            self.request_uuid = json.loads(answer)["uuid"]
            rows = self._wait(step, self.request_uuid)
            step.result = f"{rows:,} images"

    def _wait(self, step: Step, task_uuid: str) -> int:
        """Return the cycles of a task once it is finished."""
        while True:
            answer = task.get_task(self._token, self._address, task_uuid, self.cluster_uuid)
            row = json.loads(answer)
            step.update(row["current_cycle"], row["total_number_of_cycles"])
            if row["state"] == "finished":
                return int(row["current_cycle"])
            if row["state"] not in ("queued", "active"):
                raise DemoFailedError(f"task {row['name']} is {row['state']}: {row}")
            time.sleep(POLL_S)

    def _accuracy(self) -> float:
        labels = self._data.test.read_labels()
        with self._view.step("download") as step:
            answers = self._download(len(labels), step)
            step.result = f"{len(answers):,} answers"
        good = sum(answer == label for answer, label in zip(answers, labels, strict=True))
        percent = 100 * good / len(labels)
        self._view.line("accuracy", f"{percent:8.2f} %   {good:,} of {len(labels):,} right")
        return percent

    def _download(self, count: int, step: Step) -> list[int]:
        answers: list[int] = []
        while len(answers) < count:
            rows = min(PAGE_ROWS, count - len(answers))
            page = dataset.download_dataset_content(
                self._token, self._address, self.request_uuid, "digit", rows, len(answers)
            )
            answers += [values.index(max(values)) for values in json.loads(page)["data"]]
            step.update(len(answers), count)
        return answers


def link(dataset_uuid: str, name: str) -> dict[str, str]:
    """Connect a column with the hexagon of the same name."""
    return {"dataset_uuid": dataset_uuid, "dataset_column": name, "hexagon_name": name}


def main(argv: Sequence[str]) -> int:
    """Return the exit status: 0 when the promised accuracy is reached."""
    arguments = _parse(argv)
    view = View()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="hanami-demo-files-") as files:
            source = arguments.mnist
            data = demo_data.mnist(source, Path(files)) if source else demo_data.digits(Path(files))
            return _run(view, arguments, data)
    except KeyboardInterrupt:
        view.verdict("interrupted; the server is stopped", good=False)
        return INTERRUPTED_STATUS
    except (demo_data.DataError, DemoFailedError, HanamiException, ServerFailedError) as error:
        view.verdict(f"demo: {str(error) or type(error).__name__}", good=False)
        return 1


def _run(view: View, arguments: argparse.Namespace, data: demo_data.Dataset) -> int:
    data_dir = arguments.data_dir or Path(tempfile.mkdtemp(prefix="hanami-demo-"))
    if data_dir.exists() and any(data_dir.iterdir()):
        raise DemoFailedError(f"{data_dir} is not empty; the demo needs a directory of its own.")
    passphrase = secrets.token_urlsafe(12)
    admin = {
        "HANAMI_ADMIN_USER_ID": USER_ID,
        "HANAMI_ADMIN_USER_NAME": "Demo",
        "HANAMI_ADMIN_PASSPHRASE": passphrase,
    }
    server = ServerProcess(data_dir, environ=admin, start_timeout_s=START_TIMEOUT_S)
    view.text(f"hanami_actors learns {data.title}")
    view.line("data directory", str(data_dir))
    try:
        with view.step("server") as step:
            server.start(wait_until_ready=False)
            step.result = f"listens at {server.address}"
        if not any(KERNEL_CACHE_DIR.glob("**/*.nbc")):
            view.text(
                "  The kernels are compiled for this machine. It happens once and takes a while."
            )
        with view.step("kernels") as step:
            server.wait_until_ready()
            step.result = "ready"
        demo = Demo(view, server.address, passphrase, data)
        percent = demo.run(arguments.epochs or data.number_of_epochs)
        _show_sizes(view, server)
        _look_further(view, server, demo, passphrase, keep_running=arguments.keep_running)
        good = percent >= data.accuracy_percent_min
        word = "reached" if good else "NOT reached"
        view.verdict(
            f"{percent:.2f} %: the promised {data.accuracy_percent_min:g} % are {word}", good=good
        )
        if arguments.keep_running:
            view.text("\nThe server keeps running. Ctrl-C stops it.")
            _wait_for_interrupt(server)
    finally:
        _stop(view, server)
    return 0 if good else 1


def _stop(view: View, server: ServerProcess) -> None:
    """Stop it as a person would; what is left after that is killed."""
    try:
        if server.is_running and (status := server.terminate()) != 0:
            view.verdict(f"the server ended with status {status}\n{server.log}", good=False)
    finally:
        server.close()


def _wait_for_interrupt(server: ServerProcess) -> None:
    try:
        while server.is_running:
            time.sleep(1)
    except KeyboardInterrupt:
        return
    raise ServerFailedError(f"the server ended by itself\n{server.log}")


def memory_bytes(pid: int) -> tuple[int, int]:
    """Return what a process occupies now and what it occupied at most."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    kilobytes = {line.split(":")[0]: line.split()[1] for line in lines if line.endswith(" kB")}
    return int(kilobytes["VmRSS"]) * 1024, int(kilobytes["VmHWM"]) * 1024


def _show_sizes(view: View, server: ServerProcess) -> None:
    now, peak = memory_bytes(server.pid)
    view.line("server memory", f"{megabytes(now)} now, {megabytes(peak)} at most")
    files = [path.stat() for path in server.data_dir.rglob("*") if path.is_file()]
    used_bytes = sum(status.st_blocks * 512 for status in files)
    view.line("data directory", f"{megabytes(used_bytes)} on disk in {len(files)} files")


def _look_further(
    view: View, server: ServerProcess, demo: Demo, passphrase: str, *, keep_running: bool
) -> None:
    address = server.address if keep_running else "http://127.0.0.1:11418"
    data_dir = shlex.quote(str(server.data_dir))
    lines = [
        "",
        "To look further:",
        f"  export PATH={shlex.quote(str(Path(sys.prefix, 'bin')))}:$PATH",
    ]
    if not keep_running:
        lines.append(f"  hanami-server --data-dir {data_dir} &")
    lines += [
        f"  export HANAMI_ADDRESS={address} HANAMI_USER={USER_ID} HANAMI_PASSPHRASE={passphrase}",
        "  hanamictl dataset list",
        f"  hanamictl cluster get {demo.cluster_uuid}",
        f"  hanamictl task list -c {demo.cluster_uuid}",
        f"  hanamictl dataset content {demo.request_uuid} -c digit -n 5",
        f"  hanami-log --data-dir {data_dir} list",
        "",
    ]
    view.text("\n".join(lines))


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    named = os.environ.get("HANAMI_MNIST_DIR")
    parser.add_argument(
        "--mnist",
        type=Path,
        metavar="DIR",
        default=Path(named) if named else None,
        help="learn the four MNIST files in this directory, plain or .gz [HANAMI_MNIST_DIR]; "
        "without it the digits of scikit-learn",
    )
    parser.add_argument(
        "--epochs", type=_epochs, help="how often to go through the images; default: 10, MNIST 1"
    )
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="empty or new; default: a new one in /tmp"
    )
    parser.add_argument(
        "--keep-running", action="store_true", help="leave the server running until Ctrl-C"
    )
    return parser.parse_args(argv)


def _epochs(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"has to be a whole number from 1, not {text!r}")
    return int(text)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
