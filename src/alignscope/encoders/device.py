"""The device on which encoders run."""

import torch


def device_name() -> str:
    """Return the name of the GPU, or the number of CPU cores."""
    if device().type == "cuda":
        return torch.cuda.get_device_name(device())
    threads = torch.get_num_threads()
    return f"{threads} CPU core{'s' if threads > 1 else ''}"


def device() -> torch.device:
    """Return the device on which runs are computed: a GPU if there is one."""
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")
