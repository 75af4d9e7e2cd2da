using System.Xml;
using System.Xml.Linq;

namespace ClipSae.ObjectStorage;

/// <summary>The little XML that S3 speaks.</summary>
internal static class S3Xml
{
    private const int MaxAnswerLength = 1 << 20;

    /// <summary>The <c>Code</c> of an error's answer; nothing where it has none.</summary>
    public static async Task<string> ErrorCodeAsync(HttpResponseMessage answer, CancellationToken cancel) =>
        await ValueAsync(answer, "Code", cancel) ?? "";

    /// <summary>Text of the first element of this name; null if there is none or the answer is no XML.</summary>
    public static async Task<string?> ValueAsync(HttpResponseMessage answer, string name, CancellationToken cancel) =>
        Value(await ReadAsync(answer, cancel), name);

    /// <summary>Text of the first element of this name; null if there is none.</summary>
    public static string? Value(XElement? root, string name) =>
        root?.DescendantsAndSelf().FirstOrDefault(element => element.Name.LocalName == name)?.Value;

    /// <summary>
    /// The root element of an answer, whether its length was reported before or not; null where it is no XML or too long.
    /// </summary>
    public static async Task<XElement?> ReadAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        try
        {
            await answer.Content.LoadIntoBufferAsync(MaxAnswerLength, cancel);

            // White space keeps a connection alive while a server works; before the XML declaration it would be an error.
            using var text = new StringReader((await answer.Content.ReadAsStringAsync(cancel)).TrimStart());
            using var reader = XmlReader.Create(text, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
            return XElement.Load(reader);
        }
        catch (XmlException)
        {
            return null;
        }
        catch (HttpRequestException error) when (error.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            return null;
        }
    }

    /// <summary>The body that completes an upload.</summary>
    /// <param name="tags">ETags of the parts, in order.</param>
    public static string CompleteUpload(IEnumerable<string> tags) =>
        new XElement(
            "CompleteMultipartUpload",
            tags.Select((tag, index) => new XElement("Part", new XElement("PartNumber", index + 1), new XElement("ETag", tag)))
        ).ToString(SaveOptions.DisableFormatting);
}
