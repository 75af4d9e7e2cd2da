using System.Runtime.InteropServices;

namespace ClipSae.Tensors.Installation;

/// <summary>
/// Which libtorch this process computes with: the CPU build that is bundled, or that of an installed PyTorch, which brings CUDA. Decided
/// once, before the first tensor.
/// </summary>
public static class Libtorch
{
    /// <summary>The environment's name for a PyTorch to take.</summary>
    public const string Variable = "CLIPSAE_TORCH";

    private const string CudaLibrary = "libtorch_cuda.so";
    private const string CpuLibrary = "libtorch_cpu.so";
    private static readonly string[] Libraries = ["libc10.so", CpuLibrary, "libc10_cuda.so", CudaLibrary, "libtorch.so"];
    private static readonly Lock Deciding = new();
    private static bool _isDecided;

    /// <summary>The PyTorch whose libraries are in use; null if the bundled ones are.</summary>
    public static TorchInstallation? InUse { get; private set; }

    /// <summary>
    /// The libtorch that is bundled with the program, in a folder of its own or, built for CUDA, next to it; null where it was left out.
    /// </summary>
    private static string? Included { get; } =
        new[] { Beside(CpuLibrary), Beside(Path.Combine("libtorch", CpuLibrary)) }.FirstOrDefault(File.Exists);

    /// <summary>Whether the program was built with a libtorch for CUDA of its own (<c>-p:TorchBackend=cuda</c>).</summary>
    public static bool BringsCuda { get; } = File.Exists(Beside(CudaLibrary));

    /// <summary>Why no PyTorch with CUDA is in use though a CUDA device was asked for; null where none was asked for, or one is.</summary>
    public static string? WhyNoCuda { get; private set; }

    /// <summary>The PyTorch that the user named: its folder. Null leaves it to <see cref="Variable"/> and to what is found.</summary>
    public static string? Named { get; set; }

    /// <summary>Whether the user named one, by <see cref="Named"/> or in the environment.</summary>
    public static bool IsNamed => NamedOne is not null;

    private static string? NamedOne => NotEmpty(Named) ?? NotEmpty(Environment.GetEnvironmentVariable(Variable));

    /// <summary>
    /// Decides which libtorch to load, and loads it. One that was named is taken; else, for a CUDA device, the one that <c>python3</c> has;
    /// else what is bundled. A run on the CPU starts no Python. The first call decides; later ones change nothing.
    /// </summary>
    /// <param name="device">Device that will be computed on, <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>; null where it is not known yet: then
    /// a card in the machine counts.</param>
    /// <param name="named">As <see cref="Named"/>, which it sets.</param>
    /// <exception cref="UserErrorException">The PyTorch that was named is none, or does not fit.</exception>
    public static void Prepare(string? device, string? named = null)
    {
        lock (Deciding)
        {
            Named = named ?? Named;
            if (_isDecided)
            {
                return;
            }

            _isDecided = !OperatingSystem.IsLinux();
            if (_isDecided)
            {
                WhyNoCuda = "replacing the bundled libtorch by a PyTorch works on Linux only";
                return;
            }

            var asksForCuda = device?.StartsWith("cuda", StringComparison.Ordinal) ?? CudaCards.SeemThere;
            if (NamedOne is { } path)
            {
                var installation = RequireFitting(TorchInstallation.At(path));
                UserErrorException.ThrowIf(
                    IsLoaded(),
                    $"{installation}: another libtorch has been loaded already; "
                        + $"name the device too, with --device, so that this one is loaded first"
                );

                Load(installation);
            }
            else if (Included is null || (asksForCuda && !BringsCuda))
            {
                LoadFound(withCuda: Included is not null);
            }

            if (InUse is null)
            {
                // By its path: by its name alone another one on the system's search path could be found first.
                NativeLibrary.Load(
                    Included
                        ?? throw new UserErrorException(
                            $"this program has no bundled libtorch, and {WhyNoCuda}; "
                                + $"install PyTorch for python3, or name the folder of one with --torch or {Variable}"
                        )
                );
            }

            if (asksForCuda)
            {
                Quieten(Path.Combine(InUse?.Libraries ?? AppContext.BaseDirectory, "libc10.so"));
            }

            _isDecided = true;
        }
    }

    /// <summary>Looks for the PyTorch of <c>python3</c> and loads nothing.</summary>
    /// <param name="withCuda">Whether it has to have CUDA.</param>
    /// <returns>One that fits, or why there is none, in one line.</returns>
    public static (TorchInstallation? Found, string? WhyNot) Find(bool withCuda = true)
    {
        var (found, whyNot) = PythonTorch.Find();
        return found switch
        {
            null => (null, whyNot),
            { Cuda: null } when withCuda => (null, $"{found.Folder}: PyTorch {found.Version} is built without CUDA"),
            _ => Fit(found).Problem is { } problem ? (null, problem) : (found, null),
        };
    }

    /// <summary>Functions of the binding that an installation lacks, none of which ClipSae calls.</summary>
    public static IReadOnlyList<string> MissingFunctions(TorchInstallation installation) => Fit(installation).Missing;

    // libtorch warns on standard error where a thread is the first of its kind to multiply on a card, and sets right what it warns of.
    private static unsafe void Quieten(string library)
    {
        const int Error = 2;
        if (
            Environment.GetEnvironmentVariable("TORCH_CPP_LOG_LEVEL") is null
            && NativeLibrary.TryLoad(library, out var handle)
            && NativeLibrary.TryGetExport(handle, "FLAGS_caffe2_log_level", out var level)
        )
        {
            *(int*)level = Error;
        }
    }

    private static void LoadFound(bool withCuda)
    {
        if (IsLoaded())
        {
            WhyNoCuda = "libtorch has been loaded for the CPU already; name the device with --device, so that it is known from the start";
            return;
        }

        var (found, whyNot) = Find(withCuda);
        WhyNoCuda = whyNot;
        if (found is not null)
        {
            Load(found);
        }
    }

    private static bool IsLoaded() =>
        File.ReadLines("/proc/self/maps").Any(line => line.Contains("/" + CpuLibrary, StringComparison.Ordinal));

    private static TorchFit Fit(TorchInstallation installation) => TorchFit.Of(installation, Beside("libLibTorchSharp.so"));

    private static TorchInstallation RequireFitting(TorchInstallation installation) =>
        File.Exists(Beside(CpuLibrary))
            ? throw new UserErrorException(
                "--torch: this program was built with a libtorch of its own (-p:TorchBackend=cuda); build it without to use another"
            )
        : Fit(installation).Problem is { } problem ? throw new UserErrorException(problem)
        : installation;

    private static void Load(TorchInstallation installation)
    {
        var folders = installation.LibraryFolders;
        var loaded = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            // Each by its path: the loader then finds it by its name, whatever its search path says. The binding asks for libtorch by name
            // and gets what is loaded.
            foreach (var library in Libraries.Where(name => File.Exists(Path.Combine(installation.Libraries, name))))
            {
                LoadWithNeeded(Path.Combine(installation.Libraries, library), folders, loaded);
            }

            NativeLibrary.Load(Beside("libLibTorchSharp.so"));
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            throw new UserErrorException($"{installation} cannot be loaded: {error.Message.Split('\n')[0]}", error);
        }

        InUse = installation;
    }

    private static void LoadWithNeeded(string file, IReadOnlyList<string> folders, HashSet<string> loaded)
    {
        if (!loaded.Add(Path.GetFileName(file)))
        {
            return;
        }

        // Most name where the libraries are that they need, and those two that need each other load together. Where one does not, what it
        // needs goes first.
        if (NativeLibrary.TryLoad(file, out _))
        {
            return;
        }

        using (var library = new ElfLibrary(file))
        {
            foreach (var needed in library.Needed)
            {
                if (folders.Select(folder => Path.Combine(folder, needed)).FirstOrDefault(File.Exists) is { } found)
                {
                    LoadWithNeeded(found, folders, loaded);
                }
            }
        }

        NativeLibrary.Load(file);
    }

    private static string Beside(string library) => Path.Combine(AppContext.BaseDirectory, library);

    private static string? NotEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}
