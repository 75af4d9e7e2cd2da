using ClipSae.Benchmarks;

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
    new ShardMemoryBenchmark(),
    new PipelineBenchmark(),
    new ObjectStoreBenchmark(),
    new EmptyShardsBenchmark(),
    new ShardCostBenchmark(),
    new ScaleOutBenchmark(),
];

if (args is ["all", .. var rest])
{
    foreach (var benchmark in benchmarks)
    {
        benchmark.Run(rest, Console.Out);
    }

    return 0;
}

if (args is [var verb, .. var options] && benchmarks.FirstOrDefault(b => b.Verb == verb) is { } chosen)
{
    chosen.Run(options, Console.Out);
    return 0;
}

Console.Error.WriteLine("usage: dotnet run -c Release --project tests/Benchmarks -- VERB [options]");
Console.Error.WriteLine("  all: every benchmark below");
foreach (var benchmark in benchmarks)
{
    Console.Error.WriteLine($"  {benchmark.Verb}: {benchmark.Summary}");
}

return 2;
