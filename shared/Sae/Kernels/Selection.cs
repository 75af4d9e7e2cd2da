namespace ClipSae.Sae.Kernels;

/// <summary>Order statistics of small arrays.</summary>
internal static unsafe class Selection
{
    /// <summary>The k-th largest of the values, k from 1; reorders them. No value may be NaN.</summary>
    public static float KthLargest(float* values, int count, int k)
    {
        var (left, right, place) = (0, count - 1, k - 1);
        while (left < right)
        {
            var pivot = MedianOfThree(values[left], values[left + ((right - left) / 2)], values[right]);
            var (i, j) = (left, right);
            while (i <= j)
            {
                while (values[i] > pivot)
                {
                    i++;
                }

                while (values[j] < pivot)
                {
                    j--;
                }

                if (i <= j)
                {
                    (values[i], values[j]) = (values[j], values[i]);
                    i++;
                    j--;
                }
            }

            if (place <= j)
            {
                right = j;
            }
            else if (place >= i)
            {
                left = i;
            }
            else
            {
                return values[place];
            }
        }

        return values[place];
    }

    private static float MedianOfThree(float a, float b, float c) => Math.Max(Math.Min(a, b), Math.Min(Math.Max(a, b), c));
}
