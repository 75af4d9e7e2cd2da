using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ClipSae.Results;

/// <summary>
/// How a record is stored as JSON, and read. Its wire name and version stand in the artifact's media type and not in the JSON, so that
/// naming them changed no stored byte; a plain <c>application/json</c>, as written before there were such names, is read as version 1.
/// </summary>
/// <param name="name">Wire name, for example <c>salient</c>.</param>
/// <param name="version">Raised when a stored member changes its name or meaning, or goes. A new member that may be missing raises
/// nothing.</param>
/// <param name="isCanonical">Whether members are written in ordinal order (<see cref="CanonicalJson"/>) rather than as the record declares
/// them.</param>
public sealed class ResultFormat<T>(string name, int version = 1, bool isCanonical = false) : IResultFormat
    where T : class
{
    public string Name { get; } = FormattableString.Invariant($"{name}/{version}");

    public string MediaType { get; } = FormattableString.Invariant($"{TypeStart(name)}{version}{TypeEnd}");

    public Type Type => typeof(T);

    private const string TypeEnd = "+json";

    /// <summary>The bytes of an artifact.</summary>
    public byte[] Write(T value) =>
        isCanonical
            ? Encoding.UTF8.GetBytes(CanonicalJson.Serialize(Node(value)))
            : JsonSerializer.SerializeToUtf8Bytes(value, ContractJson.Options);

    /// <summary>The metrics of a unit, as its event holds them.</summary>
    public JsonObject ToJson(T value) => Node(value)!.AsObject();

    /// <summary>Reads an artifact.</summary>
    /// <param name="fetch">Gives the path of its file.</param>
    /// <exception cref="UserErrorException">It is of another format or of a newer version, or a member is missing or of another
    /// type.</exception>
    public async Task<T> ReadAsync(ArtifactRef artifact, Func<ArtifactRef, CancellationToken, Task<string>> fetch, CancellationToken cancel)
    {
        if (artifact.MediaType != MediaType && artifact.MediaType != MediaTypes.Json)
        {
            throw Unreadable(
                artifact.Name,
                artifact.MediaType.StartsWith(TypeStart(name), StringComparison.Ordinal)
                && artifact.MediaType.EndsWith(TypeEnd, StringComparison.Ordinal)
                    ? $"it is of version {artifact.MediaType[TypeStart(name).Length..^TypeEnd.Length]}; "
                        + "use the ClipSae that wrote it, or a newer one"
                    : $"it is of type {artifact.MediaType}"
            );
        }

        return Read(await File.ReadAllBytesAsync(await fetch(artifact, cancel), cancel), artifact.Name);
    }

    /// <summary>Reads the bytes of an artifact.</summary>
    /// <param name="source">What errors call it.</param>
    /// <exception cref="UserErrorException">A member is missing or of another type.</exception>
    public T Read(ReadOnlySpan<byte> content, string source)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(content, ContractJson.Options) ?? throw Unreadable(source, "it is null");
        }
        catch (JsonException error)
        {
            throw Unreadable(source, Reason(error), error);
        }
    }

    /// <summary>Reads the metrics of a unit.</summary>
    /// <param name="source">What errors call them.</param>
    /// <exception cref="UserErrorException">A member is missing or of another type.</exception>
    public T Read(JsonObject metrics, string source) => Read(JsonSerializer.SerializeToUtf8Bytes(metrics), source);

    private static string TypeStart(string name) => $"application/vnd.clipsae.{name}.v";

    private static JsonNode? Node(T value) => JsonSerializer.SerializeToNode(value, ContractJson.Options);

    private static string Reason(JsonException error)
    {
        var end = error.Message.IndexOf(" Path:", StringComparison.Ordinal);
        var message = (end < 0 ? error.Message : error.Message[..end]).TrimEnd('.');
        return error.Path is null or "$" ? message : $"{error.Path[2..]}: {message}";
    }

    private UserErrorException Unreadable(string source, string reason, JsonException? cause = null)
    {
        var message = $"{source} cannot be read as {Name}: {reason}";
        return cause is null ? new UserErrorException(message) : new UserErrorException(message, cause);
    }
}
