using System.Reflection;
using TorchSharp;

namespace ClipSae.Tensors.Cuda;

/// <summary>
/// Kernels compiled when they are first wanted, for one device and one set of sizes, and launched on the stream that libtorch computes on
/// (TorchSharp never leaves the default one), so that they take their turn among its operations.
/// </summary>
public sealed unsafe class CudaModule : IDisposable
{
    private const int MaxArguments = 32;

    private readonly Dictionary<string, nint> _functions = [];
    private readonly CudaContext _context;
    private nint _module;

    /// <param name="device">A CUDA device that libtorch has computed on.</param>
    /// <param name="source">CUDA C++, one translation unit without includes; kernels are <c>extern "C"</c>.</param>
    /// <param name="name">Its name in messages.</param>
    /// <param name="definitions">Macros, NAME=VALUE: sizes that are known now, and that loops and registers follow from.</param>
    /// <exception cref="CudaException">No compiler, a source that does not compile, or a device that refuses it.</exception>
    public CudaModule(torch.Device device, string source, string name, IReadOnlyList<string> definitions)
    {
        _context = CudaContext.Of(device);
        var code = Nvrtc.Compile(source, name, _context.ComputeCapability, definitions);
        _context.MakeCurrent();
        fixed (byte* image = code)
        {
            CudaDriver.Check(CudaDriver.LoadModule(out _module, image), "cuModuleLoadData");
        }
    }

    /// <summary>Compiles a source that is embedded in the assembly of the class that launches it.</summary>
    /// <param name="kernels">That class.</param>
    /// <param name="what">What an error calls the kernels.</param>
    /// <param name="otherwise">What to do where they cannot be used.</param>
    /// <exception cref="UserErrorException">They do not compile here.</exception>
    public static CudaModule Compile(
        torch.Device device,
        Type kernels,
        string name,
        IReadOnlyList<string> definitions,
        string what,
        string otherwise
    )
    {
        try
        {
            return new CudaModule(device, Source(kernels.Assembly, name), name, definitions);
        }
        catch (Exception error) when (error is CudaException or DllNotFoundException or EntryPointNotFoundException)
        {
            throw new UserErrorException($"{what} cannot be used on {device}: {error.Message}; {otherwise}");
        }
    }

    /// <summary>The text of a source that is embedded in an assembly under its file's name.</summary>
    public static string Source(Assembly assembly, string name)
    {
        using var stream = assembly.GetManifestResourceStream(name)
            ?? throw new ArgumentException($"{assembly.GetName().Name} contains no source '{name}'");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>Enqueues a kernel; returns at once.</summary>
    /// <param name="kernel">Its name.</param>
    /// <param name="blocks">Blocks of the grid; nothing is launched for 0.</param>
    /// <param name="threads">Threads of a block.</param>
    /// <param name="sharedBytes">Dynamic shared memory of a block.</param>
    /// <param name="arguments">In the order of the kernel's parameters.</param>
    /// <exception cref="CudaException">The driver refuses the launch.</exception>
    public void Launch(string kernel, long blocks, int threads, int sharedBytes, params ReadOnlySpan<KernelArgument> arguments)
    {
        if (blocks == 0)
        {
            return;
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThan(arguments.Length, MaxArguments);
        _context.MakeCurrent();
        var function = Function(kernel, sharedBytes);
        var values = stackalloc long[arguments.Length];
        var pointers = stackalloc void*[arguments.Length];
        for (var i = 0; i < arguments.Length; i++)
        {
            values[i] = arguments[i].Bits;
            pointers[i] = values + i;
        }

        CudaDriver.Check(
            CudaDriver.Launch(function, checked((uint)blocks), 1, 1, (uint)threads, 1, 1, (uint)sharedBytes, 0, pointers, null),
            $"launching {kernel}"
        );
    }

    public void Dispose()
    {
        if (_module != 0)
        {
            _context.MakeCurrent();
            _ = CudaDriver.UnloadModule(_module);
            _module = 0;
        }
    }

    /// <param name="sharedBytes">The same at every launch: more than 48 KiB, the kernel's own included, is to be asked for once.</param>
    private nint Function(string kernel, int sharedBytes)
    {
        if (!_functions.TryGetValue(kernel, out var function))
        {
            CudaDriver.Check(CudaDriver.GetFunction(out function, _module, kernel), $"finding {kernel}");
            if (sharedBytes > 0)
            {
                CudaDriver.Check(
                    CudaDriver.SetAttribute(function, CudaDriver.MaxDynamicSharedBytes, sharedBytes),
                    $"{sharedBytes} bytes of shared memory for {kernel}"
                );
            }

            _functions[kernel] = function;
        }

        return function;
    }
}
