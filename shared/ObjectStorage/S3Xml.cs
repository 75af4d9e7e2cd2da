using System.Xml;
using System.Xml.Linq;

namespace ClipSae.ObjectStorage;

/// <summary>The little XML that S3 speaks.</summary>
internal static class S3Xml
{
    private const int LongestAnswer = 1 << 20;

    /// <summary>The <c>Code</c> of an error's answer; nothing where it has none.</summary>
    public static async Task<string> ErrorCodeAsync(HttpResponseMessage answer, CancellationToken cancel) =>
        await ValueAsync(answer, "Code", cancel) ?? "";

    /// <summary>Text of the first element of this name; null where there is none or the answer is no XML.</summary>
    public static async Task<string?> ValueAsync(HttpResponseMessage answer, string name, CancellationToken cancel)
    {
        if (answer.Content.Headers.ContentLength is null or 0 or > LongestAnswer)
        {
            return null;
        }

        try
        {
            using var reader = XmlReader.Create(
                await answer.Content.ReadAsStreamAsync(cancel),
                new XmlReaderSettings { Async = true, DtdProcessing = DtdProcessing.Prohibit, MaxCharactersInDocument = LongestAnswer });
            var document = await XDocument.LoadAsync(reader, LoadOptions.None, cancel);
            return document.Descendants().FirstOrDefault(element => element.Name.LocalName == name)?.Value;
        }
        catch (XmlException)
        {
            return null;
        }
    }

    /// <summary>The body that completes an upload.</summary>
    /// <param name="tags">ETags of the parts, in order.</param>
    public static string CompleteUpload(IEnumerable<string> tags) => new XElement(
        "CompleteMultipartUpload",
        tags.Select((tag, index) => new XElement("Part", new XElement("PartNumber", index + 1), new XElement("ETag", tag)))).ToString(SaveOptions.DisableFormatting);
}
