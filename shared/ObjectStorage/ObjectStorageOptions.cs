namespace ClipSae.ObjectStorage;

/// <summary>Where the object store is and how it is used: configuration section <c>ClipSae:S3</c>.</summary>
public sealed record ObjectStorageOptions
{
    private const string Section = "ClipSae:S3";

    // What S3 allows: parts of 5 MiB to 5 GiB, at most 10,000 of them.
    private const long MinPart = 5L << 20;

    /// <summary>Address of the server, <c>http://127.0.0.1:9000</c> or <c>https://…</c>. No default.</summary>
    public string Endpoint { get; init; } = "";

    /// <summary>The bucket; it must exist. Default <c>clipsae</c>.</summary>
    public string Bucket { get; init; } = "clipsae";

    /// <summary>Region that requests are signed for. Default <c>us-east-1</c>, which servers outside of AWS take for any.</summary>
    public string Region { get; init; } = "us-east-1";

    /// <summary>Access key. No default; <see cref="AccessKeyFile"/> may name a file that holds it instead.</summary>
    public string AccessKey { get; init; } = "";

    /// <summary>File with the access key.</summary>
    public string? AccessKeyFile { get; init; }

    /// <summary>Secret key. No default; <see cref="SecretKeyFile"/> may name a file that holds it instead.</summary>
    public string SecretKey { get; init; } = "";

    /// <summary>File with the secret key.</summary>
    public string? SecretKeyFile { get; init; }

    /// <summary>PEM file with the certificate authority of the server, where the system does not know it.</summary>
    public string? CertificateAuthorityFile { get; init; }

    /// <summary>
    /// Folder of the read cache; processes on one machine may share it. Default <c>clipsae-cache</c> in the system's folder for temporary
    /// files.
    /// </summary>
    public string CacheFolder { get; init; } = Path.Combine(Path.GetTempPath(), "clipsae-cache");

    /// <summary>Bytes that the read cache may take. Default 20 GiB. What was handed out within the last hour is kept in any case.</summary>
    public long CacheBytes { get; init; } = 20L << 30;

    /// <summary>Bytes of a part of an upload or download. Default 16 MiB.</summary>
    public long PartBytes { get; init; } = 16L << 20;

    /// <summary>Parts on their way at once, in each up- or download. Default 4.</summary>
    public int PartsAtOnce { get; init; } = 4;

    /// <summary>How long one request may take. Default 60 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// How long a request is repeated while a server that answered before cannot be reached or is overloaded. Default 3 min.
    /// </summary>
    public TimeSpan OutageTolerance { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>
    /// How long a starting process waits for the server's first answer; no longer than <see cref="OutageTolerance"/>. Default 1 min;
    /// commands that a person waits for take 10 s.
    /// </summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The access key, from wherever it is given.</summary>
    internal string ReadAccessKey() => Given(AccessKey, AccessKeyFile);

    /// <summary>The secret key, from wherever it is given.</summary>
    internal string ReadSecretKey() => Given(SecretKey, SecretKeyFile);

    /// <exception cref="UserErrorException">A value is missing or impossible; the message names it.</exception>
    public void Validate()
    {
        UserErrorException.ThrowIf(
            !Uri.TryCreate(Endpoint, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.AbsolutePath != "/",
            $"{Section}:Endpoint = '{Endpoint}': expected an address such as http://127.0.0.1:9000 (environment: ClipSae__S3__Endpoint)"
        );

        Require(Bucket.Length is >= 3 and <= 63, "Bucket", "a name of 3 to 63 characters");
        Require(ReadAccessKey().Length > 0, "AccessKey", "a key, or AccessKeyFile with one (environment: ClipSae__S3__AccessKey)");
        Require(ReadSecretKey().Length > 0, "SecretKey", "a key, or SecretKeyFile with one (environment: ClipSae__S3__SecretKey)");
        Require(PartBytes is >= MinPart and <= 5L << 30, "PartBytes", "5 MiB to 5 GiB");
        Require(PartsAtOnce is >= 1 and <= 64, "PartsAtOnce", "1 to 64");
        Require(CacheBytes >= 0, "CacheBytes", "0 or more");
        Require(
            RequestTimeout > TimeSpan.Zero && OutageTolerance >= TimeSpan.Zero && StartTimeout >= TimeSpan.Zero,
            "RequestTimeout, OutageTolerance and StartTimeout",
            "times"
        );
    }

    /// <summary>Everything but the keys.</summary>
    public override string ToString() => $"{Endpoint}/{Bucket}";

    private static void Require(bool holds, string name, string expected) =>
        UserErrorException.ThrowIf(!holds, $"{Section}:{name}: expected {expected}");

    private static string Given(string value, string? file)
    {
        if (string.IsNullOrEmpty(file))
        {
            return value;
        }

        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"{Section}: cannot read {file} ({error.Message.TrimEnd('.')})", error);
        }
    }
}
