namespace ClipSae.Contracts;

/// <summary>
/// The name of an event in stored streams, with its version: <c>unit-finished/1</c>. It survives renames and is never changed once
/// released.
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class EventTypeAttribute(string name) : Attribute
{
    public string Name { get; } = name;
}
