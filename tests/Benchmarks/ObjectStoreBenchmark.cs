using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using ClipSae.Contracts;
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

    public string Verb => "object-store";

    public string Summary => "artifact up- and download against a plain parallel client, on Ceph's gateway [MiB, default 512]";

    public void Run(IReadOnlyList<string> options, TextWriter output) =>
        RunAsync(options.Count > 0 ? int.Parse(options[0], CultureInfo.InvariantCulture) : 512, output).GetAwaiter().GetResult();

    private static async Task RunAsync(int mebibytes, TextWriter output)
    {
        var folder = Directory.CreateTempSubdirectory("object-store-benchmark").FullName;
        await using var server = await ObjectServer.StartAsync();
        try
        {
            await server.MakeBucketAsync("clipsae");
            var options = new ObjectStorageOptions { Endpoint = server.Endpoint, AccessKey = server.AccessKey, SecretKey = server.SecretKey, CacheFolder = Path.Combine(folder, "cache"), PartsAtOnce = AtOnce };
            var source = Path.Combine(folder, "source");
            WriteRandom(source, mebibytes);

            using var objects = new ObjectStore(options, TimeProvider.System);
            using var store = new S3ArtifactStore(objects, TimeProvider.System);
            var plain = new PlainClient(options);

            // The first upload in parts has the gateway make a pool for them, which takes seconds once in its life.
            var small = Path.Combine(folder, "small");
            WriteRandom(small, 40);
            await store.FetchAsync(await store.PutFileAsync(small, "small", "application/octet-stream"));

            ArtifactRef artifact = null!;
            var up = await SecondsAsync(async () => artifact = await store.PutFileAsync(source, "source", "application/octet-stream"));
            var down = await SecondsAsync(() => store.FetchAsync(artifact));
            var peak = PeakMebibytes(); // before the plain client, which holds whole parts
            var plainUp = await SecondsAsync(() => plain.UploadAsync(source));
            var plainDown = await SecondsAsync(() => plain.DownloadAsync(Path.Combine(folder, "plain")));
            var hash = await SecondsAsync(() => Task.Run(() => Artifacts.Digest.OfFile(source)));

            var table = new MarkdownTable($"{mebibytes} MiB", "MiB/s", "of plain %");
            table.Add("plain upload", Rate(plainUp), "100");
            table.Add("artifact upload, digest and check on arrival included", Rate(up), Percent(plainUp, up));
            table.Add("plain download", Rate(plainDown), "100");
            table.Add("artifact download, digest verified", Rate(down), Percent(plainDown, down));
            table.Add("digest alone", Rate(hash), "");
            table.Print(output);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"most memory resident: {peak} MiB"));
            output.WriteLine();

            string Rate(double seconds) => (mebibytes / seconds).ToString("F0", CultureInfo.InvariantCulture);
            static string Percent(double plain, double own) => (100 * plain / own).ToString("F0", CultureInfo.InvariantCulture);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<double> SecondsAsync(Func<Task> work)
    {
        var start = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void WriteRandom(string path, int mebibytes)
    {
        using var file = File.Create(path);
        var block = new byte[1 << 20];
        for (var i = 0; i < mebibytes; i++)
        {
            RandomNumberGenerator.Fill(block);
            file.Write(block);
        }
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
        private readonly IMinioClient _minio = new MinioClient().WithEndpoint(new Uri(options.Endpoint)).WithCredentials(options.AccessKey, options.SecretKey).WithRegion(options.Region).Build();
        private int _parts;

        public async Task UploadAsync(string path)
        {
            var length = new FileInfo(path).Length;
            _parts = (int)((length + Part - 1) / Part);
            await Parallel.ForEachAsync(Enumerable.Range(0, _parts), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (part, cancel) =>
            {
                var address = await _minio.PresignedPutObjectAsync(new PresignedPutObjectArgs().WithBucket(options.Bucket).WithObject($"plain/{part}").WithExpiry(600));
                var bytes = new byte[Math.Min(Part, length - ((long)part * Part))];
                using var file = File.OpenHandle(path);
                RandomAccess.Read(file, bytes, (long)part * Part);
                using var answer = await _http.PutAsync(address, new ByteArrayContent(bytes), cancel);
                answer.EnsureSuccessStatusCode();
            });
        }

        public async Task DownloadAsync(string path)
        {
            using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
            await Parallel.ForEachAsync(Enumerable.Range(0, _parts), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (part, cancel) =>
            {
                var address = await _minio.PresignedGetObjectAsync(new PresignedGetObjectArgs().WithBucket(options.Bucket).WithObject($"plain/{part}").WithExpiry(600));
                await RandomAccess.WriteAsync(file, await _http.GetByteArrayAsync(address, cancel), (long)part * Part, cancel);
            });
        }
    }
}
