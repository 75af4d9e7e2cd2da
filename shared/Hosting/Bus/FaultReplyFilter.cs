using MassTransit;
using MassTransit.Middleware;
using Microsoft.Extensions.Logging;

namespace ClipSae.Hosting.Bus;

/// <summary>
/// Informs the sender of a refused message what is wrong with it. Where it cannot be known, since the message names an address that is not
/// there, the message is set aside anyway.
/// </summary>
internal sealed class FaultReplyFilter(ILogger log) : IFilter<ExceptionReceiveContext>
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private readonly IFilter<ExceptionReceiveContext> _reply = new GenerateFaultFilter();

    public async Task Send(ExceptionReceiveContext context, IPipe<ExceptionReceiveContext> next)
    {
        try
        {
            await _reply.Send(context, Pipe.Empty<ExceptionReceiveContext>()).WaitAsync(Timeout);
        }
        catch (Exception error)
        {
            // Whatever an address of a stranger's leads to.
            log.LogWarning(
                "the sender of a message in {Queue} cannot be notified of the refusal: {Problem}",
                context.InputAddress.AbsolutePath,
                error.Message
            );
            await context.NotifyFaulted(context.Exception);
        }

        log.LogWarning(
            "a message in {Queue} is set aside: {Reason}",
            context.InputAddress.AbsolutePath,
            context.Exception.GetBaseException().Message
        );
        await next.Send(context);
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("fault-reply");
}
