"""
Storage: the results of a study in a bucket of object storage (`--default-storage-provider s3`, see profiles/s3).

Snakemake asks the bucket what there is, and uploads what a job has made when it has ended. The files in results/ and
logs/ are then copies of the objects below the prefix, under the names that they have without storage, so that all that
reads them works as ever. What belongs to the repository or to raw_dir is marked `local` in the rules.
"""

from urllib.parse import urlparse

from snakemake.io import flag
from snakemake.path_modifier import PATH_MODIFIER_FLAG
from snakemake_interface_storage_plugins.io import Mtime

STORED = workflow.storage_settings is not None and workflow.storage_settings.default_storage_provider is not None
PREFIX = os.path.join(workflow.storage_settings.default_storage_prefix, "") if STORED else ""
FOLDER = urlparse(PREFIX).path.removeprefix(os.sep)
# In the study's folder: the place that its files are copies of.
PLACE = Path(RESULTS, ".stored")


def keep_results_in_bucket():
    """Let the S3 provider keep its copies under the names that files have without it, and fetch provenance with them."""
    if workflow.storage_settings.default_storage_provider != "s3" or not workflow.storage_settings.keep_storage_local:
        raise WorkflowError(
            "Results can be stored with the provider s3 and with local copies kept only, as --profile profiles/s3 does."
        )
    provider = workflow.storage_registry.default_storage_provider

    class Result(provider.get_storage_object_cls()):
        """A file of a study in the bucket."""

        def local_suffix(self):
            """Path of the copy; from the query, into which Snakemake writes the constraints of wildcards."""
            return self.query.removeprefix(PREFIX)

        def is_dir(self):
            """No rule makes a folder; to look whether it is one would double the number of requests."""
            return False

        async def inventory(self, cache):
            """List the study by thousands of files, and not each file with a request of its own."""
            if self.get_inventory_parent() not in cache.exists_in_storage:
                cache.exists_in_storage[self.get_inventory_parent()] = self.bucket_exists()
                for listed in listed_files(RESULTS) if self.bucket_exists() else []:
                    copy = listed.key.removeprefix(FOLDER)
                    cache.exists_in_storage[copy], cache.size[copy] = True, listed.size
                    cache.mtime[copy] = Mtime(storage=listed.last_modified.timestamp())

        def retrieve_object(self):
            """Fetch the file and, since jobs check what they read against it, the provenance around it."""
            super().retrieve_object()
            for place in (self.local_path().parent, self.local_path().parent.parent):
                fetch_provenance(place, Delimiter="/")

    provider.local_prefix = Path()
    provider.get_storage_object_cls = lambda: Result
    mark_as_stored(workflow.modifier.path_modifier)


def mark_as_stored(modifier):
    """Let paths be marked as stored also where their copies have the same name, which Snakemake takes for no change."""
    plain = modifier.modify

    def modify(path, property=None):
        modified = plain(path, property)
        return flag(modifier.apply_default_storage(path), PATH_MODIFIER_FLAG) if modified is path else modified

    modifier.modify = modify


def bucket():
    """The bucket that holds the results."""
    return workflow.storage_registry.default_storage_provider.s3c.Bucket(urlparse(PREFIX).netloc)


def listed_files(place, **options):
    """The objects whose copies lie below a folder."""
    return bucket().objects.filter(Prefix=f"{FOLDER}{place}/", **options)


@functools.cache
def fetch_provenance(place, **options):
    """Fetch the provenance files of a folder that are not here, or are newer in the bucket."""
    for listed in listed_files(place, **options):
        copy, changed = Path(listed.key.removeprefix(FOLDER)), listed.last_modified.timestamp()
        if copy.name.endswith("provenance.json") and not (copy.exists() and copy.stat().st_mtime >= changed):
            copy.parent.mkdir(parents=True, exist_ok=True)
            bucket().download_file(listed.key, str(copy))
            os.utime(copy, (changed, changed))


def check_place():
    """Refuse to take the results of another run for copies of this bucket, since Snakemake removes copies of what it makes."""
    found = PLACE.read_text(encoding="utf-8").strip() if PLACE.is_file() else None
    if found != (PREFIX or None) and any(Path(RESULTS).rglob("*provenance.json")):
        here, asked = found or "made without storage", PREFIX or "none"
        raise WorkflowError(
            f"The results in {RESULTS} are copies of others than this run's (storage: {here}; asked for: {asked}). "
            f"Run with the same profile as before, or move {RESULTS} away; what is in a bucket stays there."
        )


def claim_place():
    """Note which place the results of this run are copies of."""
    check_place()
    if STORED:
        PLACE.parent.mkdir(parents=True, exist_ok=True)
        PLACE.write_text(PREFIX, encoding="utf-8")


def store_closing_words():
    """Upload what the end of a run writes."""
    for name in ("summary.json", "summary.json.sha256", "provenance.csv", "provenance.csv.sha256"):
        if Path(RESULTS, name).is_file():
            bucket().upload_file(f"{RESULTS}/{name}", f"{FOLDER}{RESULTS}/{name}")


if STORED:
    keep_results_in_bucket()
    if workflow.is_main_process:
        check_place()
