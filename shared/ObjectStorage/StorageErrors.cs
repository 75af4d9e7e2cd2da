using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Minio.Exceptions;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace ClipSae.ObjectStorage;

/// <summary>Which errors of an object store pass by themselves, and what the others mean to a user.</summary>
internal static class StorageErrors
{
    // 507 is what servers say that know the disk; the names are those of MinIO and of quotas in Ceph.
    private static readonly string[] Full = ["QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "EntityTooLarge", "507"];

    /// <summary>Whether trying again may help.</summary>
    public static bool MayPass(Exception error) =>
        error switch
        {
            UserErrorException => false,
            HttpRequestException { InnerException: AuthenticationException } => false,
            ObjectNotFoundException
            or BucketNotFoundException
            or PreconditionFailedException
            or AuthorizationException
            or AccessDeniedException => false,
            HttpRequestException { StatusCode: { } status } => status
                is HttpStatusCode.RequestTimeout
                    or HttpStatusCode.TooManyRequests
                    or HttpStatusCode.Conflict
                || ((int)status >= 500 && status != HttpStatusCode.InsufficientStorage),
            HttpRequestException
            or IOException
            or SocketException
            or TimeoutException
            or TimeoutRejectedException
            or BrokenCircuitException => true,
            MinioException minio => !IsFull(minio.Message)
                && minio is ConnectionException or InternalClientException or UnexpectedMinioException or ErrorResponseException,
            _ => false,
        };

    /// <summary>The user's line, or null where the error is another one.</summary>
    public static Exception? Explain(Exception error, ObjectStorageOptions options, string doing) =>
        error switch
        {
            AuthorizationException
            or AccessDeniedException
            or HttpRequestException { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } when !IsFull(error.Message) =>
                new UserErrorException(
                    $"the object store {options.Endpoint} refuses {doing}: "
                        + $"check ClipSae:S3 AccessKey, SecretKey and Region, and what the key may do in bucket {options.Bucket}",
                    error
                ),
            BucketNotFoundException => new UserErrorException(
                $"the object store {options.Endpoint} has no bucket {options.Bucket}: create it, or name another in ClipSae:S3:Bucket",
                error
            ),
            MinioException
            or HttpRequestException
                when IsFull(error.Message) || error is HttpRequestException { StatusCode: HttpStatusCode.InsufficientStorage } =>
                new UserErrorException(
                    $"the object store {options.Endpoint} is full or over its quota while {doing}: "
                        + $"free some space in bucket {options.Bucket}, then run again to continue",
                    error
                ),
            HttpRequestException { InnerException: AuthenticationException untrusted } => new UserErrorException(
                $"no encrypted connection to the object store {options.Endpoint} "
                    + $"({UserErrorException.FirstLine(untrusted.Message)}): check ClipSae:S3 Endpoint and CertificateAuthorityFile",
                error
            ),
            HttpRequestException { StatusCode: HttpStatusCode.PreconditionFailed } => new UserErrorException(
                $"{doing} from the object store {options.Endpoint}: the object was written meanwhile; run again",
                error
            ),
            HttpRequestException { StatusCode: not null } when !MayPass(error) => new UserErrorException(
                $"the object store {options.Endpoint} refused {doing}: {error.Message}",
                error
            ),
            _ when MayPass(error) => new TimeoutException(
                $"the object store {options.Endpoint} did not answer while {doing} "
                    + $"({UserErrorException.FirstLine(error.Message)}): is it running, and is ClipSae:S3:Endpoint correct?",
                error
            ),
            MinioException => new UserErrorException(
                $"the object store {options.Endpoint} refused {doing}: {UserErrorException.FirstLine(error.Message)}",
                error
            ),
            _ => null,
        };

    public static bool IsFull(string message) => Full.Any(word => message.Contains(word, StringComparison.Ordinal));
}
