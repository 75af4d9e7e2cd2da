using System.Runtime.InteropServices;
using System.Text;

namespace ClipSae.Tensors.Cuda;

/// <summary>
/// NVIDIA's run-time compiler, which comes with every libtorch for CUDA: libtorch's own link to it, <c>libcaffe2_nvrtc.so</c>, is found
/// next to <c>libtorch_cuda.so</c>, where the process has that loaded from; else the system's.
/// </summary>
internal static unsafe class Nvrtc
{
    private static readonly string[] SystemNames = ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"];
    private static readonly Lazy<nint> Library = new(Find);

    /// <summary>Compiles CUDA C++ to the machine code of one architecture.</summary>
    /// <param name="source">One translation unit.</param>
    /// <param name="name">Its name in messages.</param>
    /// <param name="capability">Compute capability, 90 for 9.0.</param>
    /// <param name="definitions">Macros, NAME=VALUE.</param>
    /// <exception cref="CudaException">There is no compiler, or it refuses the source; the message holds its log.</exception>
    public static byte[] Compile(string source, string name, int capability, IReadOnlyList<string> definitions)
    {
        var create = (delegate* unmanaged<nint*, byte*, byte*, int, byte**, byte**, int>)Function("nvrtcCreateProgram");
        var destroy = (delegate* unmanaged<nint*, int>)Function("nvrtcDestroyProgram");
        nint program;
        fixed (
            byte* text = Text(source),
                file = Text(name)
        )
        {
            Check(create(&program, text, file, 0, null, null), "nvrtcCreateProgram");
        }

        try
        {
            string[] options = [$"--gpu-architecture=sm_{capability}", "--std=c++17", "--fmad=true", .. definitions.Select(d => "-D" + d)];
            return Compile(program, name, options);
        }
        finally
        {
            _ = destroy(&program);
        }
    }

    private static byte[] Compile(nint program, string name, string[] options)
    {
        var compile = (delegate* unmanaged<nint, int, byte**, int>)Function("nvrtcCompileProgram");
        var handles = options.Select(option => GCHandle.Alloc(Text(option), GCHandleType.Pinned)).ToArray();
        try
        {
            var pointers = stackalloc byte*[handles.Length];
            for (var i = 0; i < handles.Length; i++)
            {
                pointers[i] = (byte*)handles[i].AddrOfPinnedObject();
            }

            if (compile(program, handles.Length, pointers) != 0)
            {
                throw new CudaException(
                    $"{name} does not compile: "
                        + $"{Encoding.UTF8.GetString(Read(program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog")).TrimEnd('\0')}"
                );
            }
        }
        finally
        {
            foreach (var handle in handles)
            {
                handle.Free();
            }
        }

        return Read(program, "nvrtcGetCUBINSize", "nvrtcGetCUBIN");
    }

    private static byte[] Read(nint program, string sizeFunction, string readFunction)
    {
        nuint size;
        Check(((delegate* unmanaged<nint, nuint*, int>)Function(sizeFunction))(program, &size), sizeFunction);
        var bytes = new byte[size];
        fixed (byte* start = bytes)
        {
            Check(((delegate* unmanaged<nint, byte*, int>)Function(readFunction))(program, start), readFunction);
        }

        return bytes;
    }

    private static void Check(int status, string call)
    {
        if (status != 0)
        {
            throw new CudaException($"CUDA's run-time compiler: {call} failed with status {status}");
        }
    }

    private static nint Function(string name) => NativeLibrary.GetExport(Library.Value, name);

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text + '\0');

    private static nint Find()
    {
        // A library's handle finds the symbols of those that it needs, too.
        IEnumerable<string> candidates = TorchFolder() is { } folder
            ? [Path.Combine(folder, "libcaffe2_nvrtc.so"), .. SystemNames]
            : SystemNames;
        foreach (var candidate in candidates)
        {
            if (NativeLibrary.TryLoad(candidate, out var library) && NativeLibrary.TryGetExport(library, "nvrtcCompileProgram", out _))
            {
                return library;
            }
        }

        throw new CudaException("CUDA's run-time compiler (libnvrtc) was found neither next to libtorch nor in the system");
    }

    /// <summary>Where this process has its libtorch for CUDA from.</summary>
    private static string? TorchFolder() =>
        File.ReadLines("/proc/self/maps")
            .Select(line => line.IndexOf('/', StringComparison.Ordinal) is var at and >= 0 ? line[at..] : "")
            .Where(path => Path.GetFileName(path) == "libtorch_cuda.so")
            .Select(Path.GetDirectoryName)
            .FirstOrDefault();
}
