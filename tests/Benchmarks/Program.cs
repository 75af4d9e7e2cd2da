using ClipSae.Benchmarks;
using ClipSae.Benchmarks.Atlas;
using ClipSae.Benchmarks.Gpu;

IBenchmark[] benchmarks =
[
    new ExtractionBenchmark(),
    new CheckpointLoadBenchmark(),
    new ConversionBenchmark(),
    new SaeStepBenchmark(),
    new TuningStepBenchmark(),
    new ExtractionStageBenchmark(),
    new EvaluationBenchmark(),
    new PreprocessingBenchmark(),
    new OwnCodeBenchmark(),
    new ShardMemoryBenchmark(),
    new PipelineBenchmark(),
    new ObjectStoreBenchmark(),
    new EmptyShardsBenchmark(),
    new ShardCostBenchmark(),
    new ScaleOutBenchmark(),
    new AtlasBenchmark(),
    new GpuBenchmark(),
];

IBenchmark[] chosen = args switch
{
    ["all", ..] => benchmarks,
    [var verb, ..] => [.. benchmarks.Where(benchmark => benchmark.Verb == verb)],
    _ => [],
};
try
{
    foreach (var benchmark in chosen)
    {
        benchmark.Run(args[1..], Console.Out);
    }
}
catch (Exception error) when (error is InvalidOperationException or UserErrorException or TimeoutException)
{
    Console.Error.WriteLine(error.Message.ReplaceLineEndings(" ").TrimEnd());
    return 1;
}

if (chosen.Length > 0)
{
    return 0;
}

Console.Error.WriteLine("usage: dotnet run -c Release --project tests/Benchmarks -- VERB [options]");
Console.Error.WriteLine("  all: every benchmark below");
foreach (var benchmark in benchmarks)
{
    Console.Error.WriteLine($"  {benchmark.Verb}: {benchmark.Summary}");
}

return 2;
