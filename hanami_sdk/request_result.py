"""Results of request tasks are datasets; this module has the functions to look at them."""

from hanami_sdk.dataset import check_mnist_dataset, download_dataset_content

__all__ = ["check_mnist_dataset", "download_dataset_content"]
