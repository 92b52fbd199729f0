# axes.cedar, rule by rule.
package mayfly

axis if startswith(input.context.workflow, "axis-")

is_call if input.action.name == "call"

is_mint if input.action.name == "mint"

fetches(capability) if {
	input.action.name == "fetch"
	input.resource.type == "capability"
	input.resource.id == capability
}

planned(field, value) if {
	some step in input.context.plan
	step[field] == value
}

permits contains "axis" if axis

assisted if input.context.autonomyTier <= 2

forbids contains "axis-autonomy" if {
	axis
	input.context.environment == "production"
	not assisted
}

forbids contains "axis-tool" if {
	is_call
	input.action.properties.tool == "shell"
}

forbids contains "axis-verb" if {
	is_call
	input.action.properties.verb == "drop"
}

forbids contains "axis-dataset" if {
	input.resource.type == "resource"
	input.resource.id == "customers"
}

forbids contains "axis-kind" if {
	is_call
	input.resource.properties.kind == "secret-table"
}

forbids contains "axis-host" if {
	is_call
	endswith(input.action.properties.host, ".example.net")
}

forbids contains "axis-planned-tool" if {
	is_mint
	planned("tool", "shell")
}

forbids contains "axis-planned-verb" if {
	is_mint
	planned("action", "drop")
}

forbids contains "axis-planned-dataset" if {
	is_mint
	planned("resource", "customers")
}

forbids contains "axis-planned-host" if {
	is_mint
	planned("host", "db.example.net")
}

office_hours if {
	input.context.weekday <= 5
	input.context.hour >= 8
	input.context.hour < 18
}

forbids contains "axis-window" if {
	fetches("bastion.ssh")
	axis
	not office_hours
}

forbids contains "axis-data-class" if {
	input.action.name in {"mint", "fetch"}
	axis
	input.resource.properties.dataClass == "confidential"
	not input.context.dataClass == "confidential"
}

forbids contains "axis-initiator" if {
	fetches("reports.kv")
	axis
	not input.context.initiator.kind == "human"
}

forbids contains "axis-attempts" if input.context.attempt > 3

forbids contains "axis-depth" if {
	input.action.name == "delegate"
	input.context.delegationDepth >= 2
}

forbids contains "axis-approval" if {
	input.action.name == "breakGlass"
	not input.context.approval.by == "approver1"
}

forbids contains "axis-behaviour" if {
	fetches("service.cert")
	axis
	input.context.behaviour != "normal"
}

forbids contains "axis-parent" if input.context.parentTaskId == "plan-0666"

forbids contains "axis-shape" if {
	input.action.name == "fetch"
	input.context.workflow == "axis-staging"
	input.resource.properties.shape == "static"
}

forbids contains "axis-owner" if {
	input.action.name == "delegate"
	axis
	input.subject.properties.owner == input.resource.properties.owner
}
