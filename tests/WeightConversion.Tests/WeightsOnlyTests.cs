using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using ClipSae.Tensors;
using ClipSae.TestKit.Files;
using ClipSae.WeightConversion.Targets;
using ClipSae.WeightConversion.Tests.PyTorch;
using ClipSae.WeightConversion.Weights;
using TorchSharp;

namespace ClipSae.WeightConversion.Tests;

/// <summary>
/// PyTorch is no part of the build (<see cref="PyTorchTests"/> ask it where it is there). What stands in for
/// <c>torch.load(weights_only=True)</c> is a second reading of our <c>.pt</c> by Python's own pickletools and zipfile with the opcodes,
/// names and rules of PyTorch's restricted unpickler (torch/_weights_only_unpickler.py): the script beside this file. Skipped, and said so,
/// where there is no Python.
/// </summary>
public sealed class WeightsOnlyTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = torch.NewDisposeScope();

    [Theory]
    [InlineData(Precision.Float32, "FloatStorage")]
    [InlineData(Precision.Float16, "HalfStorage")]
    [InlineData(Precision.Bfloat16, "BFloat16Storage")]
    public void Python_reads_our_file_by_the_rules_of_weights_only_and_finds_the_same_numbers(Precision dtype, string storage)
    {
        var source = new ConversionSource(ReferenceFiles.GeometricModel, "tiny");
        WeightConverter.Convert(source, _folder.Path, [new OpenAiTorchTarget(), new OpenAiTarget()], dtype);

        var (code, output, error) = Python(_folder.File("openai.pt"));

        code.ShouldBe(0, error);
        var read = output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .ToDictionary(line => line[0].GetString()!);
        using var expected = SafetensorsFile.Open(_folder.File(OpenAiTarget.FileName));
        read.Keys.ShouldBe(expected.Entries.Keys, ignoreOrder: true);
        foreach (var (key, entry) in expected.Entries)
        {
            read[key][2].EnumerateArray().Select(size => size.GetInt64()).ShouldBe(entry.Shape, key);
            read[key][3].GetString().ShouldBe(Convert.ToHexStringLower(SHA256.HashData(expected.Read(key).bytes)), key);
        }

        read["visual.proj"][1].GetString().ShouldBe(storage);
        read["ln_final.weight"][1].GetString().ShouldBe("FloatStorage");
    }

    // The reading is neither too strict for what PyTorch itself writes nor takes what PyTorch refuses.
    [Theory]
    [InlineData("openai_clip_tiny.state_dict.fp16.pt", 0, "")]
    [InlineData("openai_clip_tiny.gmp.whole_model_pickle.pt", 1, "is not allowed")]
    public void Python_takes_what_PyTorch_takes_and_refuses_what_PyTorch_refuses(string name, int expected, string reason)
    {
        var (code, _, error) = Python(Path.Combine(AppContext.BaseDirectory, "Reference", name));

        code.ShouldBe(expected, error);
        error.ShouldContain(reason);
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private static (int Code, string Out, string Error) Python(string path)
    {
        var start = new ProcessStartInfo("python3", [Path.Combine(AppContext.BaseDirectory, "weights_only.py"), path])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("there is no python3 here, by which the file would be read a second time");
            throw;
        }

        using (process)
        {
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output, error.GetAwaiter().GetResult());
        }
    }
}
