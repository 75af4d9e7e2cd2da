using System.Threading.Channels;

namespace ClipSae.Hosting.Worker;

/// <summary>
/// The cards that a process shares among its units: a unit that asks for <c>cuda</c>, any card, has one to itself while it works. Units
/// that ask for none take turns, as they do if there are no cards. With an empty list every unit computes on what it names.
/// </summary>
public sealed class WorkerCards : IDisposable
{
    /// <summary>The device that means any of the cards.</summary>
    public const string Any = "cuda";

    private readonly Channel<string> _free = Channel.CreateUnbounded<string>();
    private readonly SemaphoreSlim _withoutCard = new(1, 1);
    private readonly Func<string, IDisposable>? _use;
    private readonly int _count;
    private int _lost;

    /// <param name="cards">Names of the devices.</param>
    /// <param name="use">Lets <c>cuda</c> mean the named device within the calling flow, until what it gives is disposed.</param>
    public WorkerCards(IReadOnlyList<string> cards, Func<string, IDisposable>? use)
    {
        _use = use;
        _count = cards.Count;
        foreach (var card in cards)
        {
            _free.Writer.TryWrite(card);
        }
    }

    /// <summary>Waits for a card, or for the turn of a unit without one.</summary>
    /// <param name="device">What the unit asks for; null where its stage computes on no device.</param>
    /// <exception cref="UserErrorException">Every card is lost.</exception>
    internal async Task<Place> TakeAsync(string? device, CancellationToken cancel)
    {
        if (_count == 0)
        {
            return new Place(this, null, false);
        }

        if (device != Any)
        {
            await _withoutCard.WaitAsync(cancel);
            return new Place(this, null, true);
        }

        try
        {
            return new Place(this, await _free.Reader.ReadAsync(cancel), false);
        }
        catch (ChannelClosedException error)
        {
            throw new UserErrorException(
                "every card of this machine is lost: start again to continue from what is finished; see nvidia-smi for details",
                error
            );
        }
    }

    public void Dispose() => _withoutCard.Dispose();

    private void GiveBack(Place place, bool isLost)
    {
        if (place.HasTurn)
        {
            _withoutCard.Release();
        }
        else if (place.Card is { } card && !isLost)
        {
            _free.Writer.TryWrite(card);
        }
        else if (place.Card is not null && Interlocked.Increment(ref _lost) == _count)
        {
            _free.Writer.Complete();
        }
    }

    /// <summary>A card, or a turn, that belongs to one unit.</summary>
    internal sealed class Place(WorkerCards owner, string? card, bool hasTurn) : IDisposable
    {
        private bool _isLost;

        public string? Card => card;

        public bool HasTurn => hasTurn;

        /// <summary>Lets the unit compute on its card.</summary>
        public IDisposable? Use() => card is null ? null : owner._use?.Invoke(card);

        /// <summary>The card no longer computes: no other unit gets it.</summary>
        public void Lose() => _isLost = true;

        public void Dispose() => owner.GiveBack(this, _isLost);
    }
}
