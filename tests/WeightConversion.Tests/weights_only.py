"""What torch.load(weights_only=True) takes, checked without PyTorch.

A second reading of a .pt file, by Python's own pickletools and zipfile: only the opcodes and the names that PyTorch's
restricted unpickler knows and state dicts need, with its rules of what may be called (REDUCE) and given state (BUILD).
Prints one line a tensor: name, storage class, sizes, strides, SHA-256 of its bytes. Anything else ends with a reason and code 1.
"""
import hashlib
import json
import pickletools
import sys
import zipfile
from collections import OrderedDict

WIDTH = {"FloatStorage": 4, "HalfStorage": 2, "BFloat16Storage": 2, "DoubleStorage": 8, "LongStorage": 8, "IntStorage": 4,
         "ShortStorage": 2, "CharStorage": 1, "ByteStorage": 1, "BoolStorage": 1}
REBUILD = "torch._utils._rebuild_tensor_v2"
ALLOWED = {"collections.OrderedDict", REBUILD} | {"torch." + name for name in WIDTH}


class Refused(Exception):
    pass


class Tensor:
    def __init__(self, storage, offset, size, stride, requires_grad, hooks):
        if requires_grad is not False or not isinstance(hooks, OrderedDict):
            raise Refused("a tensor of a state dict needs no gradient and has no hooks")
        if any(type(n) is not int for n in (offset, *size, *stride)) or len(size) != len(stride):
            raise Refused("sizes and strides are whole numbers, one of each an axis")
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride


def unpickle(data, storage_of):
    stack, marks, memo = [], [], {}

    def since_mark():
        at = marks.pop()
        taken = stack[at:]
        del stack[at:]
        return taken

    for opcode, argument, _ in pickletools.genops(data):
        name = opcode.name
        if name == "PROTO":
            if argument != 2:
                raise Refused(f"protocol {argument}")
        elif name == "GLOBAL":
            path = argument.replace(" ", ".")
            if path not in ALLOWED:
                raise Refused(f"GLOBAL {path} is not allowed")
            stack.append(path)
        elif name == "MARK":
            marks.append(len(stack))
        elif name == "TUPLE":
            stack.append(tuple(since_mark()))
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            count = int(name[-1])
            taken = tuple(stack[-count:])
            del stack[-count:]
            stack.append(taken)
        elif name in ("EMPTY_TUPLE", "EMPTY_LIST", "EMPTY_DICT"):
            stack.append({"EMPTY_TUPLE": tuple, "EMPTY_LIST": list, "EMPTY_DICT": dict}[name]())
        elif name in ("NONE", "NEWTRUE", "NEWFALSE"):
            stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[name])
        elif name in ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE"):
            stack.append(argument)
        elif name in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name == "SETITEM":
            value, key = stack.pop(), stack.pop()
            stack[-1][key] = value
        elif name == "SETITEMS":
            items = since_mark()
            if type(stack[-1]) not in (dict, OrderedDict):
                raise Refused("SETITEMS of something else than a dictionary")
            stack[-1].update(zip(items[::2], items[1::2]))
        elif name == "BUILD":
            state = stack.pop()
            if type(stack[-1]) is not OrderedDict:
                raise Refused("BUILD of something else than an OrderedDict")
            stack[-1].__dict__.update(state)
        elif name == "REDUCE":
            arguments, function = stack.pop(), stack.pop()
            if function == "collections.OrderedDict" and arguments == ():
                stack.append(OrderedDict())
            elif function == REBUILD:
                stack.append(Tensor(*arguments))
            else:
                raise Refused(f"REDUCE of {function!r} with {arguments!r}")
        elif name == "BINPERSID":
            stack.append(storage_of(stack.pop()))
        elif name == "STOP":
            return stack.pop()
        else:
            raise Refused(f"opcode {name}")
    raise Refused("no end")


def main(path):
    with zipfile.ZipFile(path) as archive:
        if archive.testzip() is not None:
            raise Refused("a checksum is wrong")
        roots = {name.split("/")[0] for name in archive.namelist()}
        if len(roots) != 1:
            raise Refused(f"several folders: {roots}")
        root = roots.pop()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise Refused("an entry is compressed")
        # PyTorch before 2.1 wrote no byte order.
        order = f"{root}/byteorder"
        if archive.read(f"{root}/version").strip() != b"3" or (order in archive.namelist() and archive.read(order) != b"little"):
            raise Refused("version or byte order")

        def storage_of(pid):
            kind, cls, key, location, count = pid
            if kind != "storage" or location != "cpu" or not cls.startswith("torch.") or cls[6:] not in WIDTH:
                raise Refused(f"persistent id {pid!r}")
            content = archive.read(f"{root}/data/{key}")
            if len(content) != count * WIDTH[cls[6:]]:
                raise Refused(f"storage {key} has {len(content)} bytes for {count} elements")
            return cls[6:], content

        state = unpickle(archive.read(f"{root}/data.pkl"), storage_of)
        if type(state) not in (dict, OrderedDict) or not all(type(key) is str and type(value) is Tensor for key, value in state.items()):
            raise Refused("not a dictionary of tensors")
        for key, value in state.items():
            expected, steps = 1, []
            for size in reversed(value.size):
                steps.insert(0, expected)
                expected *= size
            cls, content = value.storage
            if tuple(steps) != value.stride:
                raise Refused(f"{key} is not contiguous")
            begin = value.offset * WIDTH[cls]
            content = content[begin:begin + expected * WIDTH[cls]]
            print(json.dumps([key, cls, list(value.size), hashlib.sha256(content).hexdigest()]))


try:
    main(sys.argv[1])
except Refused as reason:
    print(reason, file=sys.stderr)
    sys.exit(1)
