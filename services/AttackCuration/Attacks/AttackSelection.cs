namespace ClipSae.AttackCuration.Attacks;

/// <summary>Chooses attacks among candidates (science, section 5).</summary>
public static class AttackSelection
{
    /// <summary>
    /// The candidates that fool CLIP, those first on which the text-salient features fire; the others follow where these are fewer than
    /// asked for. Both are ranked: first those where the word alone does it, then by margin and activation (each in units of its own
    /// spread). They are taken in rounds of one a class, within a class from the font (of families, from the family) used least so far, so
    /// that none crowds out the others; in each round the class with the best ranked attack left comes first.
    /// </summary>
    /// <param name="firing">Activation above which the features count as firing.</param>
    /// <param name="count">Most to choose.</param>
    /// <returns>Empty where the features fire on none of them.</returns>
    public static IReadOnlyList<AttackCandidate> Choose(IReadOnlyList<AttackCandidate> candidates, double firing, int count)
    {
        var fooling = candidates.Where(c => c.Fooled).ToLookup(c => c.Activation > firing);
        var fontUses = new Dictionary<string, int>(StringComparer.Ordinal);
        var chosen = new List<AttackCandidate>();
        if (fooling[true].Any())
        {
            AddInRounds([.. fooling[true]], count, fontUses, chosen);
            AddInRounds([.. fooling[false]], count, fontUses, chosen);
        }

        return chosen;
    }

    private static void AddInRounds(AttackCandidate[] fit, int count, Dictionary<string, int> fontUses, List<AttackCandidate> chosen)
    {
        if (fit.Length == 0)
        {
            return;
        }

        var margin = Spread(fit.Select(c => c.Margin));
        var activation = Spread(fit.Select(c => c.Activation));
        double Score(AttackCandidate c) =>
            ((c.Margin - margin.Mean) / margin.Deviation) + ((c.Activation - activation.Mean) / activation.Deviation);
        var ranked = fit.OrderByDescending(c => c.Visible)
            .ThenByDescending(Score)
            .ThenBy(c => c.Source)
            .Select((attack, rank) => (Attack: attack, Rank: rank));
        var byClass = ranked
            .GroupBy(c => c.Attack.Label, StringComparer.Ordinal)
            .Select(g =>
                g.GroupBy(c => c.Attack.Family ?? c.Attack.Font, StringComparer.Ordinal)
                    .ToDictionary(f => f.Key, f => new Queue<(AttackCandidate Attack, int Rank)>(f), StringComparer.Ordinal)
            )
            .ToList();
        while (chosen.Count < count && byClass.Count > 0)
        {
            foreach (
                var fonts in byClass.OrderBy(fonts => fonts.Values.Min(queue => queue.Peek().Rank)).Take(count - chosen.Count).ToArray()
            )
            {
                var (font, queue) = fonts
                    .OrderBy(f => fontUses.GetValueOrDefault(f.Key))
                    .ThenBy(f => f.Key, StringComparer.Ordinal)
                    .First();
                chosen.Add(queue.Dequeue().Attack);
                fontUses[font] = fontUses.GetValueOrDefault(font) + 1;
                if (queue.Count == 0)
                {
                    fonts.Remove(font);
                }

                if (fonts.Count == 0)
                {
                    byClass.Remove(fonts);
                }
            }
        }
    }

    private static (double Mean, double Deviation) Spread(IEnumerable<double> values)
    {
        var all = values.ToArray();
        var mean = all.Average();
        var deviation = Math.Sqrt(all.Average(v => (v - mean) * (v - mean)));
        return (mean, deviation > 0 ? deviation : 1);
    }
}
