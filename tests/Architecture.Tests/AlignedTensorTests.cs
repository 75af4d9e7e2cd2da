using Mono.Cecil;

namespace ClipSae.Architecture.Tests;

/// <summary>
/// Arrays of real numbers become tensors in aligned memory only: where they lie would otherwise decide the last bits of a product.
/// </summary>
public class AlignedTensorTests
{
    [Fact]
    public void Arrays_of_real_numbers_become_tensors_in_aligned_memory_only()
    {
        var calls = Product.Assemblies.SelectMany(Calls).ToArray();
        calls.ShouldNotBeEmpty("tensors of whole numbers are made somewhere");
        calls
            .Where(call => call.IsReal)
            .Select(call => $"{call.From} calls {call.To}: use ClipSae.Tensors.AlignedTensor.Of")
            .ShouldBeEmpty();
    }

    private static IEnumerable<(string From, string To, bool IsReal)> Calls(string assembly)
    {
        using var definition = AssemblyDefinition.ReadAssembly(assembly);
        return
        [
            .. from type in definition.MainModule.GetTypes()
            from method in type.Methods
            where method.HasBody
            from called in method.Body.Instructions.Select(instruction => instruction.Operand).OfType<MethodReference>()
            where
                called.DeclaringType.FullName == "TorchSharp.torch"
                && called.Name is "tensor" or "as_tensor" or "from_array" or "frombuffer"
            select (method.FullName, called.FullName, IsArrayOfReals(called)),
        ];
    }

    // A lone number is copied by libtorch; memory of the runtime's (an array, a list, Memory) is taken as it lies.
    private static bool IsArrayOfReals(MethodReference called) =>
        called.Parameters[0].ParameterType.FullName is var first
        && first is not ("System.Single" or "System.Double" or "System.Half")
        && (
            first.Contains("Single", StringComparison.Ordinal)
            || first.Contains("Double", StringComparison.Ordinal)
            || first.Contains("Half", StringComparison.Ordinal)
            || first == "System.Array"
        );
}
