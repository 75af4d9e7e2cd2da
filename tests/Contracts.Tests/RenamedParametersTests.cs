using System.Text.Json;
using System.Text.Json.Nodes;

namespace ClipSae.Contracts.Tests;

public class RenamedParametersTests
{
    // A run as logs from before have it: with the former names in the sections, in a stage and in one of its units.
    private const string Stored = """
        {
          "type": "run-started/1",
          "run": "r",
          "plan": {
            "stages": [
              {
                "stage": "embedding-extraction",
                "parameters": { "batch": 4, "store": "float16" },
                "units": [{ "name": "00000", "parameters": {}, "inputs": [] }],
                "inputs": []
              },
              {
                "stage": "fine-tuning",
                "parameters": { "schedule": { "kind": "cosine", "warmupSteps": 10 }, "adapter": { "kind": "lora", "rate": 0.1 } },
                "units": [{ "name": "none.s0", "parameters": { "rates": { "vision": 1 } }, "inputs": [] }],
                "inputs": []
              },
              {
                "stage": "of-somebody-else",
                "parameters": { "batch": 4 },
                "units": [{ "name": "all", "parameters": { "rates": 1 }, "inputs": [] }],
                "inputs": []
              }
            ]
          },
          "inputs": {},
          "parameters": {
            "extraction": { "batch": 4, "store": "float16" },
            "tuning": { "schedule": { "kind": "one-cycle", "warmupShare": 0.1 }, "rates": { "vision": 1 }, "arms": ["none"] },
            "evaluation": { "templates": ["a {}"], "precision": "bfloat16" }
          },
          "seed": 0,
          "origin": null,
          "verify": false,
          "at": "2026-11-28T12:00:00+00:00"
        }
        """;

    [Fact]
    public void A_run_that_was_stored_under_former_names_is_read_under_the_current_ones()
    {
        var read = (RunStarted)JsonSerializer.Deserialize<RunEvent>(Stored, ContractJson.Options)!;

        read.Spec.Parameters.Select(section => $"{section.Key} {section.Value!.ToJsonString()}")
            .ShouldBe([
                """extraction {"batchSize":4,"dtype":"float16"}""",
                """tuning {"schedule":{"kind":"one-cycle","warmUpShare":0.1},"arms":["none"],"learningRates":{"vision":1}}""",
                """evaluation {"promptTemplates":["a {}"],"compute":"bfloat16"}""",
            ]);
        read.Plan.Stages.Select(stage => stage.Parameters.ToJsonString())
            .ShouldBe([
                """{"batchSize":4,"dtype":"float16"}""",
                """{"schedule":{"kind":"cosine","warmUpSteps":10},"adapter":{"kind":"lora","learningRate":0.1}}""",
                """{"batch":4}""",
            ]);
        read.Plan.Stages.Select(stage => stage.Units[0].Parameters.ToJsonString())
            .ShouldBe(["{}", """{"learningRates":{"vision":1}}""", """{"rates":1}"""]);
    }

    [Fact]
    public void Parameters_under_current_names_stay_the_same_object()
    {
        var sections = JsonNode.Parse("""{"extraction":{"batchSize":4},"tuning":{"schedule":"none"},"other":3}""")!.AsObject();

        RenamedParameters.Current(sections).ShouldBeSameAs(sections);
    }

    // What comes over a bus is read by other options than ours.
    [Fact]
    public void A_name_that_differs_by_case_alone_is_another_even_where_members_are_found_whatever_the_case()
    {
        var parameters = JsonNode
            .Parse("""{"schedule":{"warmUpSteps":5}}""", new JsonNodeOptions { PropertyNameCaseInsensitive = true })!
            .AsObject();

        RenamedParameters.RefuseFormer("fine-tuning", parameters);
        RenamedParameters.Current("fine-tuning", parameters).ShouldBeSameAs(parameters);
    }
}
