using System.Runtime.ExceptionServices;
using MassTransit;

namespace ClipSae.Hosting.Bus;

/// <summary>Gives a message that failed back to the broker, unless its error is one that no further try fixes.</summary>
internal sealed class PutBackFilter(Func<Exception, bool> refuses) : IFilter<ExceptionReceiveContext>
{
    public async Task Send(ExceptionReceiveContext context, IPipe<ExceptionReceiveContext> next)
    {
        if (!refuses(context.Exception))
        {
            await context.NotifyFaulted(context.Exception);
            ExceptionDispatchInfo.Throw(context.Exception);
        }

        await next.Send(context);
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("put-back");
}
