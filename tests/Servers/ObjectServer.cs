using System.Globalization;

namespace ClipSae.Servers;

/// <summary>Ceph's RADOS gateway on a port and in a folder of its own, with keys of its own; what it holds is gone when it stops.</summary>
public sealed class ObjectServer : IAsyncDisposable
{
    private readonly string _folder = Path.Combine(Directory.CreateTempSubdirectory("clipsae-s3-").FullName, "server");

    private ObjectServer(int port) => Port = port;

    public int Port { get; }

    public string Endpoint => $"http://127.0.0.1:{Port}";

    public string AccessKey => File.ReadAllText(Path.Combine(_folder, "access-key"));

    public string SecretKey => File.ReadAllText(Path.Combine(_folder, "secret-key"));

    public static async Task<ObjectServer> StartAsync()
    {
        var server = new ObjectServer(FreePort.Next());
        await Script.RunAsync("s3.sh", "start", server._folder, server.Port.ToString(CultureInfo.InvariantCulture), "memory");
        return server;
    }

    /// <summary>Creates a bucket.</summary>
    public Task MakeBucketAsync(string name) => Script.RunAsync("s3.sh", "bucket", _folder, name);

    /// <summary>Does what the server's own administrator can do: users, quotas.</summary>
    public Task AdministerAsync(params string[] arguments) => Script.RunAsync("s3.sh", ["admin", _folder, .. arguments]);

    /// <summary>Stops the gateway as a crash of the machine that serves it would; what it holds stays.</summary>
    public Task PauseAsync() => Script.RunAsync("s3.sh", "pause", _folder);

    public Task ResumeAsync() => Script.RunAsync("s3.sh", "resume", _folder);

    public async ValueTask DisposeAsync()
    {
        await Script.RunAsync("s3.sh", "stop", _folder);
        Directory.Delete(Path.GetDirectoryName(_folder)!, recursive: true);
    }
}
