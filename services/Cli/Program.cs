Console.WriteLine(ClipSae.Tensors.Smoke.Norm());
