using Mono.Cecil;

namespace ClipSae.Architecture.Tests;

/// <summary>
/// TorchSharp does not hold the <c>Scalar</c> it wraps a number in while libtorch reads it: a garbage collection at that moment frees it.
/// Which of its members do so is read off its own code: those that make a Scalar, and those that call these. Ours call none of them outside
/// of <c>TensorArithmetic</c>.
/// </summary>
public class HeldNumberTests
{
    private const string Exempt = "ClipSae.Tensors.TensorArithmetic";

    private static readonly HashSet<string> Hazards = FindHazards();

    [Fact]
    public void TorchSharps_own_hazards_are_found()
    {
        Hazards.ShouldContain(
            "TorchSharp.torch/Tensor TorchSharp.torch/Tensor::op_Addition(TorchSharp.torch/Tensor,TorchSharp.torch/Tensor)"
        );
        Hazards.ShouldContain("TorchSharp.torch/Tensor TorchSharp.torch/Tensor::op_Multiply(TorchSharp.torch/Tensor,System.Double)");
        Hazards.ShouldNotContain(
            "TorchSharp.torch/Tensor TorchSharp.torch/Tensor::op_Multiply(TorchSharp.torch/Tensor,TorchSharp.torch/Tensor)"
        );
    }

    [Fact]
    public void The_arithmetic_is_where_numbers_are_made() =>
        Product
            .Assemblies.SelectMany(Calls)
            .Where(call => call.From == Exempt || call.From.StartsWith(Exempt + "/", StringComparison.Ordinal))
            .ShouldNotBeEmpty();

    [Fact]
    public void Every_number_is_held_while_libtorch_reads_it() =>
        Product
            .Assemblies.SelectMany(Calls)
            .Where(call => call.From != Exempt && !call.From.StartsWith(Exempt + "/", StringComparison.Ordinal))
            .Select(call =>
                $"{call.From}.{call.Method} calls {call.To}: use {Exempt} in its place (Plus, Times, Over, Squared, AddInPlace, Range ...)"
            )
            .ShouldBeEmpty();

    private static IEnumerable<(string From, string Method, string To)> Calls(string assembly)
    {
        using var definition = AssemblyDefinition.ReadAssembly(assembly);
        return
        [
            .. from method in Methods(definition)
            from called in Called(method)
            where MakesScalar(called) || Hazards.Contains(called.FullName)
            select (method.DeclaringType.FullName, method.Name, called.FullName),
        ];
    }

    private static HashSet<string> FindHazards()
    {
        using var torch = AssemblyDefinition.ReadAssembly(Path.Combine(AppContext.BaseDirectory, "TorchSharp.dll"));
        var methods = Methods(torch).Where(method => !method.DeclaringType.Name.StartsWith("Scalar", StringComparison.Ordinal)).ToList();
        var hazards = methods.Where(method => Called(method).Any(MakesScalar)).Select(method => method.FullName).ToHashSet();
        int before;
        do
        {
            before = hazards.Count;
            hazards.UnionWith([
                .. methods
                    .Where(method => Called(method).Any(called => hazards.Contains(called.FullName)))
                    .Select(method => method.FullName),
            ]);
        } while (hazards.Count > before);
        return hazards;
    }

    private static IEnumerable<MethodDefinition> Methods(AssemblyDefinition assembly) =>
        assembly.MainModule.GetTypes().SelectMany(type => type.Methods).Where(method => method.HasBody);

    private static IEnumerable<MethodReference> Called(MethodDefinition method) =>
        method.Body.Instructions.Select(instruction => instruction.Operand).OfType<MethodReference>();

    private static bool MakesScalar(MethodReference called) =>
        called.Name is "ToScalar" or "op_Implicit" && called.ReturnType.FullName == "TorchSharp.Scalar";
}
