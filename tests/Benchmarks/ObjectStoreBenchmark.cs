using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using ClipSae.Artifacts;
using ClipSae.ObjectStorage;
using ClipSae.Servers;
using Minio;
using Minio.DataModel.Args;

namespace ClipSae.Benchmarks;

/// <summary>
/// Up- and download of one artifact against a plain client that moves as many bytes as objects of 16 MiB, four at once, to and
/// from the same S3 server in the same run; with the memory that this process took meanwhile.
/// </summary>
internal sealed class ObjectStoreBenchmark : IBenchmark
{
    private const int Part = 16 << 20;
    private const int AtOnce = 4;
    private const int UploadsOfRound = 3;
    private const int ServerMebibytes = 7168; // the gateway keeps what it is given in 8 GiB of memory, and waits when they are full

    public string Verb => "object-store";

    public string Summary =>
        "artifact up- and download against a plain parallel client, on Ceph's gateway [MiB, default 512] [rounds, default 3]";

    public void Run(IReadOnlyList<string> options, TextWriter output)
    {
        int Option(int index, int otherwise) => options.Count > index ? int.Parse(options[index], CultureInfo.InvariantCulture) : otherwise;
        var (mebibytes, rounds) = (Option(0, 512), Option(1, 3));
        if ((long)mebibytes * rounds * UploadsOfRound > ServerMebibytes)
        {
            throw new ArgumentException(
                $"{rounds} rounds of {UploadsOfRound} × {mebibytes} MiB are more than the server's {ServerMebibytes}: ask for fewer",
                nameof(options)
            );
        }

        RunAsync(mebibytes, rounds, output).GetAwaiter().GetResult();
    }

    private static async Task RunAsync(int mebibytes, int rounds, TextWriter output)
    {
        var folder = Directory.CreateTempSubdirectory("object-store-benchmark").FullName;
        await using var server = await ObjectServer.StartAsync();
        try
        {
            await server.MakeBucketAsync("clipsae");
            var options = new ObjectStorageOptions
            {
                Endpoint = server.Endpoint,
                AccessKey = server.AccessKey,
                SecretKey = server.SecretKey,
                CacheFolder = Path.Combine(folder, "cache"),
                PartsAtOnce = AtOnce,
            };
            using var objects = new S3ObjectStore(options, TimeProvider.System);
            using var store = new S3ArtifactStore(objects, TimeProvider.System);
            var plain = new PlainClient(options);

            // The first upload in parts has the gateway make a pool for them, which takes seconds once in its life.
            var source = Path.Combine(folder, "source");
            WriteRandom(source, 40);
            await store.FetchAsync(await store.PutFileAsync(source, "small", "application/octet-stream"));
            await plain.UploadAsync(source);
            await plain.DownloadAsync(Path.Combine(folder, "plain"));

            var costs = new Dictionary<string, List<Cost>>(StringComparer.Ordinal);
            ArtifactRef artifact = null!;
            long peak = 0;
            for (var round = 0; round < rounds; round++)
            {
                WriteRandom(source, mebibytes); // new content: what is stored already is not sent again
                await CountAsync("artifact upload, of a file that a stage wrote", async () =>
                    artifact = await store.PutFileAsync(source, "source", "application/octet-stream")
                );
                string? fetched = null;
                await CountAsync("artifact download, digest verified", async () => fetched = await store.FetchAsync(artifact));
                File.Delete(fetched!);
                await CountAsync("plain upload", () => plain.UploadAsync(source));
                await CountAsync("plain download", () => plain.DownloadAsync(Path.Combine(folder, "plain")));
                await CountAsync("digest alone", () => Task.Run(() => Digest.OfFile(source)));
                WriteRandom(source, mebibytes);
                File.SetLastWriteTimeUtc(source, DateTime.UnixEpoch.AddDays(round)); // as if another program had written it
                await CountAsync("artifact upload, of a file that was not written here", () =>
                    store.PutFileAsync(source, "source", "application/octet-stream")
                );
            }

            var table = new MarkdownTable(
                $"{mebibytes} MiB, median of {rounds}",
                "MiB/s",
                "of plain %",
                "client, processor s",
                "server, processor s"
            );
            foreach (var (name, cost) in costs.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            {
                var like = costs.GetValueOrDefault("plain " + name.Split(' ', ',')[1]);
                table.Add(
                    name,
                    Text(mebibytes / Median(cost, one => one.Seconds), "F0"),
                    like is null ? "" : Text(100 * Median(like, one => one.Seconds) / Median(cost, one => one.Seconds), "F0"),
                    Text(Median(cost, one => one.Client), "F2"),
                    Text(Median(cost, one => one.Server), "F2")
                );
            }

            table.Print(output);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"most memory resident: {peak} MiB"));
            output.WriteLine();

            async Task CountAsync(string name, Func<Task> work)
            {
                // A virtual machine's host may take freed memory back, and files need fresh pages: both sides shall find them at hand.
                PlainTransfer.Touch((long)mebibytes << 22);
                // What the plain client leaves is not the store's.
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                File.WriteAllText("/proc/self/clear_refs", "5"); // the peak of resident memory starts anew
                var (start, ofServer, ofClient) = (Stopwatch.GetTimestamp(), server.ProcessorTime, Environment.CpuUsage.TotalTime);
                await work();
                var cost = new Cost(
                    Stopwatch.GetElapsedTime(start).TotalSeconds,
                    (Environment.CpuUsage.TotalTime - ofClient).TotalSeconds,
                    (server.ProcessorTime - ofServer).TotalSeconds
                );
                // The plain client holds whole parts.
                peak = name.StartsWith("artifact", StringComparison.Ordinal) ? Math.Max(peak, PeakMebibytes()) : peak;
                (costs.TryGetValue(name, out var earlier) ? earlier : costs[name] = []).Add(cost);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private sealed record Cost(double Seconds, double Client, double Server);

    private static double Median(List<Cost> costs, Func<Cost, double> of) => Measure.Median(costs.Select(of));

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static void WriteRandom(string path, int mebibytes)
    {
        File.Delete(path);
        using var file = new DigestedFile(path);
        var block = new byte[1 << 20];
        for (var i = 0; i < mebibytes; i++)
        {
            RandomNumberGenerator.Fill(block);
            file.Write(block);
        }

        file.Complete();
    }

    private static long PeakMebibytes()
    {
        using var self = Process.GetCurrentProcess();
        return self.PeakWorkingSet64 >> 20;
    }

    /// <summary>What anyone would write: addresses that the Minio package signed, one HTTP client.</summary>
    private sealed class PlainClient(ObjectStorageOptions options)
    {
        private readonly HttpClient _http = new();
        private readonly IMinioClient _minio = new MinioClient()
            .WithEndpoint(new Uri(options.Endpoint))
            .WithCredentials(options.AccessKey, options.SecretKey)
            .WithRegion(options.Region)
            .Build();
        private int _parts;
        private int _uploads;

        /// <summary>Uploads a file as new objects; replacing earlier ones would spare the server fresh memory.</summary>
        public async Task UploadAsync(string path)
        {
            _uploads++;
            var length = new FileInfo(path).Length;
            _parts = (int)((length + Part - 1) / Part);
            await Parallel.ForEachAsync(
                Enumerable.Range(0, _parts),
                new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
                async (part, cancel) =>
                {
                    var address = await _minio.PresignedPutObjectAsync(
                        new PresignedPutObjectArgs().WithBucket(options.Bucket).WithObject($"plain/{_uploads}/{part}").WithExpiry(600)
                    );
                    var bytes = new byte[Math.Min(Part, length - ((long)part * Part))];
                    using var file = File.OpenHandle(path);
                    RandomAccess.Read(file, bytes, (long)part * Part);
                    using var answer = await _http.PutAsync(address, new ByteArrayContent(bytes), cancel);
                    answer.EnsureSuccessStatusCode();
                }
            );
        }

        public async Task DownloadAsync(string path)
        {
            using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
            await Parallel.ForEachAsync(
                Enumerable.Range(0, _parts),
                new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
                async (part, cancel) =>
                {
                    var address = await _minio.PresignedGetObjectAsync(
                        new PresignedGetObjectArgs().WithBucket(options.Bucket).WithObject($"plain/{_uploads}/{part}").WithExpiry(600)
                    );
                    await RandomAccess.WriteAsync(file, await _http.GetByteArrayAsync(address, cancel), (long)part * Part, cancel);
                }
            );
        }
    }
}
