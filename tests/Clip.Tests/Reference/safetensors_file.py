"""Writes safetensors, for scripts that make reference files where the package is not at hand."""
import json, struct
import numpy


def save(path, tensors):
    header, at = {"__metadata__": {"format": "pt"}}, 0
    arrays = {name: numpy.ascontiguousarray(value.detach().numpy()) for name, value in sorted(tensors.items())}
    for name, array in arrays.items():
        kind = {"float32": "F32", "int64": "I64"}[str(array.dtype)]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(array.tobytes() for array in arrays.values()))
