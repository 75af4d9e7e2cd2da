using ClipSae.ObjectStorage;

namespace ClipSae.Hosting.Settings;

/// <summary>What a process of ClipSae is given from outside: configuration section <c>ClipSae</c>.</summary>
public sealed record ClipSaeOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "ClipSae";

    private const string Memory = "memory";
    private const string RabbitMq = "rabbitmq";
    private const string Folder = "folder";
    private const string S3Store = "s3";

    /// <summary>How messages travel: <c>memory</c>, within the process, or <c>rabbitmq</c>, between processes. Default memory.</summary>
    public string Bus { get; init; } = Memory;

    /// <summary>Where events, artifacts, results and checkpoints are: <c>folder</c> or <c>s3</c>. Default folder.</summary>
    public string Store { get; init; } = Folder;

    /// <summary>
    /// The folder store, and where a process keeps its temporary files. Default <c>clipsae-data</c> in the working folder.
    /// </summary>
    public string DataFolder { get; init; } = "clipsae-data";

    /// <summary>The broker, for <c>Bus = rabbitmq</c>.</summary>
    public BrokerOptions Broker { get; init; } = new();

    /// <summary>The object store, for <c>Store = s3</c>.</summary>
    public ObjectStorageOptions S3 { get; init; } = new();

    /// <summary>Units that this process works on at once. Default 1: one unit already uses all cores, or the one device.</summary>
    public int UnitsAtOnce { get; init; } = 1;

    /// <summary>
    /// Device of this worker, <c>cpu</c> or <c>cuda:N</c>, in place of the one that runs ask for. Default: what the run asks for.
    /// </summary>
    public string? Device { get; init; }

    /// <summary>Whether this worker ends after one unit, for batch schedulers. Default no.</summary>
    public bool Once { get; init; }

    /// <summary>How long such a worker waits for its unit before it ends without one. Default 5 min.</summary>
    public TimeSpan OnceWait { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How often a unit is tried when it fails for a passing reason. Default 3.</summary>
    public int Attempts { get; init; } = 3;

    /// <summary>Wait before the second attempt; it doubles with each further one. Default 1 s.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How soon a cancellation by another process is noticed, and how often a run of another process is looked at. Default 300 ms.
    /// </summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>How long units at work may take to come to a stop when the process is asked to end. Default 30 s.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Address at which <c>/live</c> and <c>/ready</c> answer, for example <c>http://127.0.0.1:8081/</c>, or <c>http://+:8080/</c> for
    /// every address of the machine. Default none.
    /// </summary>
    public string? HealthAddress { get; init; }

    /// <summary>
    /// How a service writes its log, one line an entry: <c>text</c>, or <c>json</c> for programs that gather logs. Default text.
    /// </summary>
    public string LogFormat { get; init; } = Hosting.Settings.LogFormat.Text;

    /// <summary>Whether messages go through a broker.</summary>
    public bool IsDistributed => Bus == RabbitMq;

    /// <summary>Whether events and artifacts are in an object store.</summary>
    public bool UsesObjectStore => Store == S3Store;

    /// <exception cref="UserErrorException">A value is impossible; the message names it.</exception>
    public void Validate()
    {
        UserErrorException.ThrowIf(UnitsAtOnce < 1 || Attempts < 1, $"{Section}: UnitsAtOnce and Attempts must be at least 1");
        UserErrorException.ThrowIf(Once && UnitsAtOnce > 1, $"{Section}: Once processes one unit, so UnitsAtOnce must be 1");
        UserErrorException.ThrowIf(OnceWait <= TimeSpan.Zero, $"{Section}: OnceWait must be positive");

        RequireOneOf("Bus", Bus, Memory, RabbitMq);
        RequireOneOf("Store", Store, Folder, S3Store);
        RequireOneOf("LogFormat", LogFormat, Hosting.Settings.LogFormat.Text, Hosting.Settings.LogFormat.Json);
        UserErrorException.ThrowIf(
            UsesObjectStore && !IsDistributed,
            $"{Section}:Store = {S3Store} needs Bus = {RabbitMq}: "
                + $"a single process keeps everything in its data folder (environment: ClipSae__Bus)"
        );

        if (IsDistributed)
        {
            Broker.Validate();
        }

        if (UsesObjectStore)
        {
            S3.Validate();
        }
    }

    private static void RequireOneOf(string name, string value, params string[] known) =>
        UserErrorException.ThrowIf(
            !known.Contains(value, StringComparer.Ordinal),
            $"{Section}:{name} = {value}: known are {string.Join(" and ", known)}"
        );
}
