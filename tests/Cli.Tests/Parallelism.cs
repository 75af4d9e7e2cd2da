// Verbs run in this process, and --threads holds for all of it.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
