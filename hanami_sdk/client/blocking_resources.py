"""The resources of `Client`: ``client.clusters``, ``client.users`` and so on, and its tasks."""

from typing import Any

from hanami_sdk._progress import Report, shown_progress
from hanami_sdk.client import accounts, clusters, datasets, system, tasks, uploads
from hanami_sdk.client.methods import Blocking, Runner
from hanami_sdk.client.results import Task

__all__ = [
    "Checkpoints",
    "Clusters",
    "Datasets",
    "Hosts",
    "Logs",
    "Projects",
    "RequestTask",
    "System",
    "Tasks",
    "TrainTask",
    "Users",
]


class _Resource:
    def __init__(self, runner: Runner) -> None:
        self.runner = runner


class Users(_Resource):
    """Users and the projects they may work in."""

    create = Blocking(accounts.create_user)
    get = Blocking(accounts.get_user)
    list = Blocking(accounts.list_users)
    delete = Blocking(accounts.delete_user)
    change_passphrase = Blocking(accounts.change_passphrase)
    add_project = Blocking(accounts.add_project)
    remove_project = Blocking(accounts.remove_project)
    list_projects = Blocking(accounts.list_user_projects)


class Projects(_Resource):
    """Projects separate the resources of users."""

    create = Blocking(accounts.create_project)
    get = Blocking(accounts.get_project)
    list = Blocking(accounts.list_projects)
    delete = Blocking(accounts.delete_project)


class Logs(_Resource):
    """Who called what, and what went wrong inside of the server."""

    audit = Blocking(accounts.audit_log)
    errors = Blocking(accounts.error_log)


class Datasets(_Resource):
    """Data to train and to ask with, and the answers of request tasks."""

    get = Blocking(datasets.get_dataset)
    list = Blocking(datasets.list_datasets)
    delete = Blocking(datasets.delete_dataset)
    check = Blocking(datasets.check_dataset)
    report = Blocking(datasets.report_dataset)
    read = Blocking(datasets.read_column)
    download = Blocking(datasets.download_dataset)
    upload_mnist = Blocking(uploads.upload_mnist)
    upload_csv = Blocking(uploads.upload_csv)
    resume_upload = Blocking(uploads.resume_upload)
    upload_progress = Blocking(uploads.upload_progress)
    get_upload = Blocking(uploads.get_upload)


class Clusters(_Resource):
    """The growing networks."""

    create = Blocking(clusters.create_cluster)
    get = Blocking(clusters.get_cluster)
    list = Blocking(clusters.list_clusters)
    delete = Blocking(clusters.delete_cluster)
    rename = Blocking(clusters.rename_cluster)
    copy = Blocking(clusters.copy_cluster)
    stats = Blocking(clusters.cluster_stats)
    history = Blocking(clusters.cluster_history)
    save = Blocking(clusters.save_cluster)
    restore = Blocking(clusters.restore_cluster)
    set_mode = Blocking(clusters.set_mode)
    switch_host = Blocking(clusters.switch_host)


class Checkpoints(_Resource):
    """Saved states of clusters."""

    get = Blocking(clusters.get_checkpoint)
    list = Blocking(clusters.list_checkpoints)
    delete = Blocking(clusters.delete_checkpoint)
    download = Blocking(clusters.download_checkpoint)
    upload = Blocking(clusters.upload_checkpoint)


class Hosts(_Resource):
    """Where clusters compute."""

    list = Blocking(clusters.list_hosts)


class System(_Resource):
    """The server itself, and its machine."""

    caller = Blocking(system.caller)
    info = Blocking(system.system_info)
    threads = Blocking(system.threads)
    power = Blocking(system.power)
    speed = Blocking(system.speed)
    temperature = Blocking(system.temperature)


class Tasks(_Resource):
    """The queues of clusters; `Client.train` and `Client.request` are shorter."""

    create_train = Blocking(tasks.create_train_task)
    create_request = Blocking(tasks.create_request_task)
    get = Blocking(tasks.get_task)
    list = Blocking(tasks.list_tasks)
    pause = Blocking(tasks.pause_task)
    resume = Blocking(tasks.resume_task)
    abort = Blocking(tasks.abort_task)
    delete = Blocking(tasks.delete_task)


class TrainTask:
    """A task in the queue of a cluster.

    Attributes
    ----------
    cluster_uuid, uuid : str
        Which one it is.
    last : Task
        What was known about it last.
    """

    def __init__(self, runner: Runner, cluster_uuid: str, created: Task) -> None:
        self._runner = runner
        self.cluster_uuid = cluster_uuid
        self.last = created

    @property
    def uuid(self) -> str:
        """The uuid of the task."""
        return self.last.uuid

    def refresh(self) -> Task:
        """Ask how it is."""
        session = self._runner.session
        self.last = self._runner.run(tasks.get_task(session, self.cluster_uuid, self.uuid))
        return self.last

    def wait(self, *, progress: bool | Report = False, timeout_s: float | None = None) -> Task:
        """Wait for the end.

        Parameters
        ----------
        progress : bool or callable
            True shows a bar if stderr is a terminal; a function gets the cycles done and in total.
        timeout_s : float, optional
            How long at most.

        Raises
        ------
        TaskFailedException
            When the task has failed or was aborted.
        TimeoutError
            When it takes longer; the task goes on.
        """
        with shown_progress(progress, self.last.name) as report:
            flow = tasks.wait_for_task(
                self._runner.session,
                self.cluster_uuid,
                self.uuid,
                report=report,
                timeout_s=timeout_s,
            )
            self.last = self._runner.run(flow)
        return self.last

    def pause(self) -> Task:
        """Stop a training at a recorded cycle, until `resume`."""
        return self._change(tasks.pause_task)

    def resume(self) -> Task:
        """Go on after a pause."""
        return self._change(tasks.resume_task)

    def abort(self) -> Task:
        """End it at a recorded cycle; what it has learned stays."""
        return self._change(tasks.abort_task)

    def _change(self, change: tasks.Change) -> Task:
        self.last = self._runner.run(change(self._runner.session, self.cluster_uuid, self.uuid))
        return self.last

    def delete(self) -> None:
        """Remove it from the queue; a running task is aborted."""
        self._runner.run(tasks.delete_task(self._runner.session, self.cluster_uuid, self.uuid))


class RequestTask(TrainTask):
    """Questions in the queue of a cluster.

    Attributes
    ----------
    columns : list of str
        The columns of the result.
    """

    def __init__(
        self, runner: Runner, cluster_uuid: str, created: Task, columns: "list[str]"
    ) -> None:
        super().__init__(runner, cluster_uuid, created)
        self.columns = columns

    def result(
        self,
        column: str | None = None,
        *,
        progress: bool | Report = False,
        timeout_s: float | None = None,
    ) -> Any:
        """Wait for the end and return the answers, one row for each question.

        Parameters
        ----------
        column : str, optional
            Which column; may be left out when there is only one.
        progress, timeout_s
            As in `wait`.

        Returns
        -------
        array
            Of numpy with 32-bit floats; a list of lists where numpy is not installed.
        """
        chosen = tasks.chosen_column(self.columns, column)
        if self.last.state != "finished":
            self.wait(progress=progress, timeout_s=timeout_s)
        return self._runner.run(datasets.read_column(self._runner.session, self.uuid, chosen))
