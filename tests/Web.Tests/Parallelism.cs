// MassTransit keeps one log for all buses of a process, and these tests start and stop many.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
