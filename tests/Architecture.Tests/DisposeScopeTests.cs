using Mono.Cecil;

namespace ClipSae.Architecture.Tests;

public class DisposeScopeTests
{
    /// <summary>
    /// A dispose scope belongs to the thread that opened it, and what follows an await may run on another: its tensors would be in no
    /// scope, held by nobody but the collector. The compiler keeps the locals of an async method as fields of its state machine.
    /// </summary>
    [Fact]
    public void No_dispose_scope_lives_in_an_async_method() => Product.Assemblies.SelectMany(ScopesOfStateMachines).ShouldBeEmpty();

    private static IEnumerable<string> ScopesOfStateMachines(string assembly)
    {
        using var definition = AssemblyDefinition.ReadAssembly(assembly);
        return
        [
            .. from type in definition.MainModule.GetTypes()
            where type.Interfaces.Any(i => i.InterfaceType.Name == "IAsyncStateMachine")
            from field in type.Fields
            where field.FieldType.Name == "DisposeScope"
            select $"{type.FullName}: {field.Name}",
        ];
    }
}
