# Generated from ../_async/resources.py by scripts/generate.
"""The resources of the client: ``client.clusters``, ``client.users`` and so on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hanami_sdk._progress import Report as ProgressReport
from hanami_sdk._upload import FilePath
from hanami_sdk.calls import accounts, clusters, datasets, system
from hanami_sdk.calls.call import Rows
from hanami_sdk.calls.measured import Caller, Machine, Series
from hanami_sdk.calls.results import (
    AuditEntry,
    Checkpoint,
    Cluster,
    ClusterStats,
    Dataset,
    ErrorEntry,
    Host,
    LearningPoint,
    Project,
    ProjectRole,
    Report,
    Saved,
    UploadedFile,
    UploadProgress,
    User,
)
from hanami_sdk.client._sync.sender import Sender
from hanami_sdk.client._sync.uploads import Started, Upload, resume_upload
from hanami_sdk.client.arrays import has_numpy, matrix_of, npy_of
from hanami_sdk.client.columns import content_pages, require_column
from hanami_sdk.client.files import read_file
from hanami_sdk.client.references import Reference, uuid_of, uuid_or_none
from hanami_sdk.hanami_exceptions import (
    BadRequestException,
    NotFoundException,
    UnauthorizedException,
)

__all__ = [
    "Checkpoints",
    "Clusters",
    "Datasets",
    "Hosts",
    "Logs",
    "Projects",
    "System",
    "Users",
]


class _Resource:
    def __init__(self, client: Sender) -> None:
        self._client = client


class Users(_Resource):
    """Users and the projects they may work in."""

    def create(self, user_id: str, name: str, passphrase: str, *, is_admin: bool = False) -> User:
        """Create a user; admins only."""
        return self._client.do(accounts.create_user(user_id, name, passphrase, is_admin))

    def get(self, user_id: str) -> User:
        """Return one user; admins only."""
        return self._client.do(accounts.get_user(user_id))

    def list(self) -> Rows[User]:
        """Return all users; admins only."""
        return self._client.do(accounts.list_users())

    def delete(self, user_id: str) -> None:
        """Delete a user; nobody can delete himself."""
        self._client.do(accounts.delete_user(user_id))

    def change_passphrase(self, passphrase: str, new_passphrase: str) -> None:
        """Change the own passphrase; all other tokens of this user end."""
        call = accounts.change_passphrase(passphrase, new_passphrase)
        login = self._client.do_once(call)
        self._client.session.change_passphrase(new_passphrase, login.token)

    def add_project(
        self,
        user_id: str,
        project_id: str,
        role: str = "member",
        *,
        is_project_admin: bool = False,
    ) -> User:
        """Let a user work in a project; a project admin sees what all its members have."""
        call = accounts.add_project(user_id, project_id, role, is_project_admin)
        return self._client.do(call)

    def remove_project(self, user_id: str, project_id: str) -> User:
        """Take a project away from a user."""
        return self._client.do(accounts.remove_project(user_id, project_id))

    def list_projects(self, user_id: str | None = None) -> Rows[ProjectRole]:
        """Return the projects of this user, or, for an admin, of another one."""
        return (self._client.do(accounts.list_user_projects(user_id))).projects


class Projects(_Resource):
    """Projects separate the resources of users."""

    def create(self, project_id: str, name: str) -> Project:
        """Create an empty project; admins only."""
        return self._client.do(accounts.create_project(project_id, name))

    def get(self, project_id: str) -> Project:
        """Return one project; admins only."""
        return self._client.do(accounts.get_project(project_id))

    def list(self) -> Rows[Project]:
        """Return all projects; admins only."""
        return self._client.do(accounts.list_projects())

    def delete(self, project_id: str, *, force: bool = False) -> None:
        """Delete a project; one with resources only with ``force``, which deletes them as well."""
        self._client.do(accounts.delete_project(project_id, force))


class Logs(_Resource):
    """Who called what, and what went wrong inside of the server."""

    def audit(self, page: int = 0, user_id: str | None = None) -> Rows[AuditEntry]:
        """Return a page of 100 calls, oldest first; only admins may name another user."""
        return self._client.do(accounts.audit_log(user_id, page))

    def errors(self, page: int = 0, user_id: str | None = None) -> Rows[ErrorEntry]:
        """Return a page of 100 internal errors; admins only."""
        return self._client.do(accounts.error_log(user_id, page))


class Datasets(_Resource):
    """Data to train and to ask with, and the answers of request tasks."""

    def get(self, dataset: Reference) -> Dataset:
        """Return one dataset with its columns."""
        return self._client.do(datasets.get_dataset(uuid_of(dataset)))

    def list(self) -> Rows[Dataset]:
        """Return all visible datasets, without their columns."""
        return self._client.do(datasets.list_datasets())

    def delete(self, dataset: Reference) -> None:
        """Delete a dataset; tasks that use it go on."""
        self._client.do(datasets.delete_dataset(uuid_of(dataset)))

    def check(self, dataset: Reference, reference: Reference) -> float:
        """Compare a result with the labels of a reference; return the percentage that is right."""
        call = datasets.check_dataset(uuid_of(dataset), uuid_of(reference))
        return (self._client.do(call)).accuracy

    def report(
        self,
        dataset: Reference,
        reference: Reference,
        *,
        column: str | None = None,
        reference_column: str | None = None,
    ) -> Report:
        """Compare a result with a reference: accuracy, every class, errors.

        Parameters
        ----------
        dataset, reference : Dataset or str
            The result, and what it should be.
        column, reference_column : str, optional
            Which columns; may be left out where there is only one that fits.
        """
        call = datasets.report_dataset(
            uuid_of(dataset), uuid_of(reference), column, reference_column
        )
        return self._client.do(call)

    def read(
        self, dataset: Reference, column: str, *, offset: int = 0, rows: int | None = None
    ) -> Any:
        """Return rows of one column as an array of numpy, or as lists where it is not installed.

        Parameters
        ----------
        dataset : Dataset or str
            Where to read.
        column : str
            Its name.
        offset : int
            The first row.
        rows : int, optional
            How many rows; without it all that follow.

        Raises
        ------
        ValueError
            When the dataset has no such column.
        """
        shown = self.get(dataset)
        require_column(shown, column)
        end = shown.number_of_rows if rows is None else offset + rows
        if end > offset and has_numpy():
            call = datasets.download_dataset(
                shown.uuid, "npy", columns=[column], row_offset=offset, number_of_rows=end - offset
            )
            try:
                return npy_of(self._client.do(call))
            except (NotFoundException, UnauthorizedException, BadRequestException):
                # A server of the original interface has no downloads.
                pass
        values: list[list[float]] = []
        for page in content_pages(shown, column, offset, end):
            values += (self._client.do(page)).data
        return matrix_of(values)

    def download(
        self,
        dataset: Reference,
        path: FilePath,
        *,
        file_format: str | None = None,
        columns: Sequence[str] = (),
        offset: int = 0,
        rows: int | None = None,
        progress: ProgressReport | None = None,
    ) -> Path:
        """Write a dataset, or some of its columns and rows, to a file; return its path.

        Parameters
        ----------
        dataset : Dataset or str
            What to download.
        path : path
            The file; it appears when all of it is there.
        file_format : str, optional
            ``csv`` or ``npy``; without it the ending of the path decides, then ``csv``.
        columns : sequence of str
            Which columns; without it all.
        offset : int
            The first row.
        rows : int, optional
            How many rows; without it all that follow.
        progress : callable, optional
            Called with the bytes done and the bytes in total.
        """
        target = Path(path)
        call = datasets.download_dataset(
            uuid_of(dataset),
            file_format or ("npy" if target.suffix == ".npy" else "csv"),
            columns=columns,
            row_offset=offset or None,
            number_of_rows=rows,
        )
        self._client.download(call, target, progress)
        return target

    def upload_mnist(
        self,
        name: str,
        images: FilePath,
        labels: FilePath,
        *,
        progress: ProgressReport | None = None,
        on_start: Started | None = None,
        checksum: bool = True,
    ) -> Dataset:
        """Upload images and labels in the IDX format of MNIST.

        After a broken connection only what is missing is sent again.

        Parameters
        ----------
        name : str
            For the dataset.
        images, labels : path
            Plain files; they are read while they are sent.
        progress : callable, optional
            Called with the bytes done and the bytes in total.
        on_start : callable, optional
            Called with the uuid of the dataset before anything is sent.
        checksum : bool
            Whether the server compares the bytes that arrived with the files; needs another
            reading.

        Raises
        ------
        OSError, ValueError
            When a file cannot be read, is empty or compressed, or changes meanwhile.
        UploadInterruptedException
            When the connection stays broken; `resume_upload` goes on.
        BadRequestException
            When the content is no MNIST data.
        """
        upload = Upload(self._client, "mnist", {"input": images, "label": labels}, progress)
        return self.get(upload.run(name, on_start=on_start, checksum=checksum))

    def upload_csv(
        self,
        name: str,
        path: FilePath,
        *,
        progress: ProgressReport | None = None,
        on_start: Started | None = None,
        checksum: bool = True,
    ) -> Dataset:
        """Upload a CSV file with a header line; otherwise as `upload_mnist`."""
        upload = Upload(self._client, "csv", {"input": path}, progress)
        return self.get(upload.run(name, on_start=on_start, checksum=checksum))

    def resume_upload(
        self, dataset: Reference, *paths: FilePath, progress: ProgressReport | None = None
    ) -> Dataset:
        """Go on with an upload that was interrupted; one that is being imported is waited for.

        Parameters
        ----------
        dataset : Dataset or str
            The unfinished dataset.
        *paths : path
            The same files in the same order: one CSV file, or images and labels.
        progress : callable, optional
            Called with the bytes done and the bytes in total.

        Raises
        ------
        ValueError
            When there are more or fewer files, or they have another size.
        NotFoundException
            When the upload has expired.
        ConflictException
            When the dataset has failed, with the reason.
        """
        resume_upload(self._client, uuid_of(dataset), paths, progress)
        return self.get(dataset)

    def upload_progress(self, dataset: Reference) -> UploadProgress:
        """Tell how much of a dataset is uploaded and imported."""
        return self._client.do(datasets.get_upload_progress(uuid_of(dataset)))

    def get_upload(self, file: Reference) -> UploadedFile:
        """Tell which bytes of one file are missing."""
        return self._client.do(datasets.get_upload(uuid_of(file)))


class Clusters(_Resource):
    """The growing networks."""

    def create(
        self,
        name: str,
        template: str | None = None,
        *,
        checkpoint: Reference | None = None,
        source: Reference | None = None,
        source_task: Reference | None = None,
        source_cycle: int | None = None,
    ) -> Cluster:
        """Create a cluster; without anything else one input, one hidden and one output hexagon.

        Parameters
        ----------
        name : str
            A name that no other visible cluster has.
        template : str, optional
            The text of a cluster template.
        checkpoint : Checkpoint or str, optional
            Begin with this saved state instead.
        source : Cluster or str, optional
            Begin with what another cluster has learned instead.
        source_task : Task or str, optional
            Only with what it had learned at the end of this task or direct session.
        source_cycle : int, optional
            Or after so many cycles of it.
        """
        call = clusters.create_cluster(
            name,
            template,
            checkpoint_uuid=uuid_or_none(checkpoint),
            source_cluster_uuid=uuid_or_none(source),
            source_task_uuid=uuid_or_none(source_task),
            source_cycle=source_cycle,
        )
        return self._client.do(call)

    def get(self, cluster: Reference) -> Cluster:
        """Return one cluster with its live figures."""
        return self._client.do(clusters.get_cluster(uuid_of(cluster)))

    def list(self) -> Rows[Cluster]:
        """Return all visible clusters, without their figures."""
        return self._client.do(clusters.list_clusters())

    def delete(self, cluster: Reference) -> None:
        """Delete a cluster with its tasks."""
        self._client.do(clusters.delete_cluster(uuid_of(cluster)))

    def rename(self, cluster: Reference, name: str) -> Cluster:
        """Give a cluster another name."""
        return self._client.do(clusters.rename_cluster(uuid_of(cluster), name))

    def copy(self, cluster: Reference, name: str) -> Cluster:
        """Create a cluster that has learned what another one has."""
        return self._client.do(clusters.copy_cluster(uuid_of(cluster), name))

    def stats(self, cluster: Reference) -> ClusterStats:
        """Return everything that is known of a cluster now."""
        return self._client.do(clusters.get_stats(uuid_of(cluster)))

    def history(
        self, cluster: Reference, *, task: Reference | None = None, rows: int | None = None
    ) -> Rows[LearningPoint]:
        """Return recorded figures of what a cluster learned, or only those of one task."""
        call = clusters.get_history(uuid_of(cluster), rows, uuid_or_none(task))
        return self._client.do(call)

    def save(self, cluster: Reference, name: str) -> Saved:
        """Save the state of a cluster as a checkpoint."""
        return self._client.do(clusters.save_cluster(uuid_of(cluster), name))

    def restore(self, cluster: Reference, checkpoint: Reference) -> str:
        """Bring a cluster to the state of a checkpoint; return the uuid of the task that does it."""
        call = clusters.restore_cluster(uuid_of(cluster), uuid_of(checkpoint))
        return (self._client.do(call)).uuid

    def set_mode(self, cluster: Reference, mode: str) -> None:
        """Let a cluster work on its queue (``TASK``) or learn directly (``DIRECT``)."""
        self._client.do(clusters.set_mode(uuid_of(cluster), mode))

    def switch_host(self, cluster: Reference, host: Reference) -> Cluster:
        """Move a cluster to another host; a running task goes on there."""
        return self._client.do(clusters.switch_host(uuid_of(cluster), uuid_of(host), None))


class Checkpoints(_Resource):
    """Saved states of clusters."""

    def get(self, checkpoint: Reference) -> Checkpoint:
        """Return one checkpoint."""
        return self._client.do(clusters.get_checkpoint(uuid_of(checkpoint)))

    def list(self) -> Rows[Checkpoint]:
        """Return all visible checkpoints."""
        return self._client.do(clusters.list_checkpoints())

    def delete(self, checkpoint: Reference) -> None:
        """Delete a checkpoint."""
        self._client.do(clusters.delete_checkpoint(uuid_of(checkpoint)))

    def download(
        self, checkpoint: Reference, path: FilePath, *, progress: ProgressReport | None = None
    ) -> Path:
        """Write a checkpoint to a file that another server can restore; return its path.

        Parameters
        ----------
        checkpoint : Checkpoint or str
            What to download.
        path : path
            The file; it appears when all of it is there.
        progress : callable, optional
            Called with the bytes done and the bytes in total.
        """
        target = Path(path)
        call = clusters.download_checkpoint(uuid_of(checkpoint))
        self._client.download(call, target, progress)
        return target

    def upload(self, path: FilePath, name: str) -> Checkpoint:
        """Create a checkpoint from a file of `download`, also of another server; admins only."""
        data = read_file(path)
        return self._client.do(clusters.upload_checkpoint(name, data))


class Hosts(_Resource):
    """Where clusters compute."""

    def list(self) -> Rows[Host]:
        """Return all hosts."""
        return self._client.do(clusters.list_hosts())


class System(_Resource):
    """The server itself, and its machine."""

    def caller(self) -> Caller:
        """Return whose token this is, and what he may do in which project."""
        return self._client.do(system.get_caller())

    def info(self) -> Machine:
        """Return the processors of the machine."""
        return (self._client.do(system.get_info())).info

    def threads(self) -> dict[str, list[int]]:
        """Return the threads of the server, and the cores they may run on."""
        return (self._client.do(system.get_threads())).thread_map

    def power(self) -> Series:
        """Return the power of all processors together over time, in watts."""
        return (self._client.do(system.get_power())).power

    def speed(self) -> Series:
        """Return the mean speed of the cores over time, in kHz."""
        return (self._client.do(system.get_speed())).current_speed

    def temperature(self) -> Series:
        """Return the mean temperature of the processors over time, in degrees Celsius."""
        return (self._client.do(system.get_temperature())).temperature
