using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using ClipSae.Cli.CommandLine;
using ClipSae.Cli.Demo;
using ClipSae.Cli.Output;
using ClipSae.Clip.Model;
using ClipSae.Clip.Tokenizers;
using ClipSae.Datasets.Drawing;
using ClipSae.Tensors;
using ClipSae.Tensors.Installation;
using TorchSharp;

namespace ClipSae.Cli.Diagnosis;

/// <summary>Checks that find out whether the program can work on this machine, and what would help it.</summary>
internal sealed class MachineChecks(string dataFolder, string device)
{
    // A demo run keeps about 0.3 GB of artifacts and checkpoints and peaks at about 2 GB of memory.
    private const long DiskWanted = 1L << 30;
    private const long MemoryWanted = 3L << 30;
    private const string FasterExtraction = "extraction.compute=bfloat16";
    private static readonly string[] SmallerBatches = ["tuning.cleanBatch=48", "tuning.attackBatch=16"];

    /// <summary>Every change of a parameter that a remedy names.</summary>
    internal static IReadOnlyList<string> NamedChanges { get; } = [FasterExtraction, .. SmallerBatches];

    /// <summary>Runs all checks, in the order a user would fix them.</summary>
    public IEnumerable<Finding> Run()
    {
        yield return Runtime();
        var computes = Guarded("libtorch", Computes);
        yield return computes;
        yield return Guarded("pytorch", TorchChecks.PyTorch);
        yield return Guarded("cards", TorchChecks.Cards);
        yield return Guarded("device", Device);
        if (computes.Grade is not FindingGrade.Fail)
        {
            yield return Guarded("threads", Threads);
            yield return Guarded("demo model", DemoModel);
        }

        yield return Bfloat16();
        yield return Memory();
        yield return Guarded("fonts", Fonts);
        yield return Guarded("data folder", DataFolder);
        yield return Guarded("free disk", FreeDisk);
    }

    private static Finding Guarded(string check, Func<Finding> look)
    {
        try
        {
            return look();
        }
        catch (UserErrorException error)
        {
            return new Finding(check, FindingGrade.Fail, error.Message);
        }
        catch (Exception error)
            when (error is TypeInitializationException or DllNotFoundException or NotSupportedException or IOException or ExternalException)
        {
            var cause = error.GetBaseException().Message.ReplaceLineEndings(" ");
            return new Finding(
                check,
                FindingGrade.Fail,
                cause,
                "build again with 'dotnet build services/Cli'; copy the program's whole folder when moving it"
            );
        }
    }

    private static Finding Runtime() =>
        Environment.Version.Major >= 10
            ? new Finding(".NET", FindingGrade.Ok, RuntimeInformation.FrameworkDescription)
            : new Finding(
                ".NET",
                FindingGrade.Fail,
                RuntimeInformation.FrameworkDescription,
                "install .NET 10 from https://dotnet.microsoft.com/download"
            );

    private Finding Computes()
    {
        Libtorch.Prepare(device);
        var norm = torch.ones(3, 3).norm().item<float>();
        var source = Libtorch.InUse is { } installed
            ? $"of {installed}"
            : $"{torch.__version__}, for {(Libtorch.BringsCuda ? "CUDA" : "the CPU")}, as bundled";
        return Math.Abs(norm - 3) < 1e-6
            ? new Finding("libtorch", FindingGrade.Ok, $"loads and computes ({source})")
            : new Finding(
                "libtorch",
                FindingGrade.Fail,
                $"‖ones(3,3)‖ gave {norm} instead of 3 ({source})",
                "build again from a clean folder"
            );
    }

    private Finding Device()
    {
        Compute.Require(device);
        return new Finding(
            "device",
            FindingGrade.Ok,
            device == "cpu" && torch.cuda.is_available() ? "cpu (CUDA is available too: --device cuda:0)" : device
        );
    }

    private static Finding Threads() =>
        Environment.ProcessorCount >= 2
            ? new Finding("threads", FindingGrade.Ok, $"{Environment.ProcessorCount} cores, {Compute.Threads} for tensor work")
            : new Finding("threads", FindingGrade.Warn, "1 core", "the demo takes about twice its time; two or more cores are better");

    private static Finding Bfloat16()
    {
        if (RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.X86))
        {
            return new Finding("bfloat16", FindingGrade.Ok, $"{RuntimeInformation.ProcessArchitecture}: left to libtorch");
        }

        // CPUID leaf 7: AMX-BF16 is bit 22 of EDX (sub-leaf 0), AVX512-BF16 bit 5 of EAX (sub-leaf 1).
        var amx = X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 && (X86Base.CpuId(7, 0).Edx & (1 << 22)) != 0;
        var avx512 = X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;
        return (amx, avx512) switch
        {
            (true, _) => new Finding("bfloat16", FindingGrade.Ok, $"AMX: {FasterExtraction} is several times faster than float32"),
            (_, true) => new Finding("bfloat16", FindingGrade.Ok, $"AVX512-BF16: {FasterExtraction} is faster than float32"),
            _ => new Finding("bfloat16", FindingGrade.Warn, "this CPU emulates it, slowly", "keep float32 (the default)"),
        };
    }

    private static Finding Memory()
    {
        var total = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        var detail = $"{Amounts.Bytes(total)} in all, {Amounts.Bytes(Process.GetCurrentProcess().WorkingSet64)} used by this process";
        return total >= MemoryWanted
            ? new Finding("memory", FindingGrade.Ok, detail)
            : new Finding(
                "memory",
                FindingGrade.Warn,
                detail,
                $"the demo needs {Amounts.Bytes(MemoryWanted)}; "
                    + $"lower batch sizes with {string.Join(' ', SmallerBatches.Select(change => $"--set {change}"))}"
            );
    }

    private static Finding Fonts()
    {
        using var fonts = FontCatalogue.Load();
        return new Finding(
            "fonts",
            FindingGrade.Ok,
            $"{fonts.Tuning.Count} for tuning, {fonts.HeldOut.Count} held out ({fonts.All.First().Name}, …)"
        );
    }

    private static Finding DemoModel()
    {
        using var model = ClipModel.Load(DemoFiles.Model);
        ClipTokenizer.Load(DemoFiles.Tokenizer);
        return new Finding(
            "demo model",
            FindingGrade.Ok,
            $"{Amounts.Bytes(new FileInfo(DemoFiles.Model).Length)}, {model.Architecture.ImageResolution} px, "
                + $"patch {model.Architecture.PatchSize}"
        );
    }

    private Finding DataFolder()
    {
        var isNew = !Directory.Exists(dataFolder);
        var probe = Path.Combine(dataFolder, $".doctor-{Environment.ProcessId}.tmp");
        try
        {
            Directory.CreateDirectory(dataFolder);
            File.WriteAllText(probe, "probe");
            return new Finding("data folder", FindingGrade.Ok, $"{dataFolder} can be written");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new Finding(
                "data folder",
                FindingGrade.Fail,
                $"{dataFolder} cannot be written ({error.Message})",
                $"choose another with --data or ${GlobalOptions.DataVariable}"
            );
        }
        finally
        {
            RemoveProbe(probe, isNew);
        }
    }

    private void RemoveProbe(string probe, bool isNew)
    {
        if (File.Exists(probe))
        {
            File.Delete(probe);
        }

        if (isNew && Directory.Exists(dataFolder))
        {
            Directory.Delete(dataFolder);
        }
    }

    private Finding FreeDisk()
    {
        var existing = dataFolder;
        while (!Directory.Exists(existing))
        {
            existing = Path.GetDirectoryName(existing)!;
        }

        var free = new DriveInfo(existing).AvailableFreeSpace;
        return free >= DiskWanted
            ? new Finding("free disk", FindingGrade.Ok, Amounts.Bytes(free))
            : new Finding(
                "free disk",
                FindingGrade.Warn,
                Amounts.Bytes(free),
                $"the demo needs {Amounts.Bytes(DiskWanted)}: free some, or choose another disk with --data"
            );
    }
}
