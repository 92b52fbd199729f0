# Mayfly's questions, decided by the Open Policy Agent: MAYFLY_DECIDER=opa, MAYFLY_PDP_URL=…/v1/data/mayfly/decision.
# As in Cedar, nothing is permitted that no rule permits, and whatever a rule forbids is denied. The rules of the worked example are
# in example.rego; a rule is one member of `permits` or `forbids`, named by its id.
package mayfly

default decision := {"decision": false, "context": {"policies": []}}

decision := {"decision": true, "context": {"policies": permits}} if {
	well_formed
	count(forbids) == 0
	count(permits) > 0
}

decision := {"decision": false, "context": {"policies": forbids}} if {
	well_formed
	count(forbids) > 0
}

# A rule over a field that is not there is no rule: whatever lacks a field is denied before rules are looked at.
well_formed if {
	input.subject.type == "agent"
	is_string(input.subject.id)
	input.action.name in {"mint", "fetch", "call", "delegate", "breakGlass"}
	is_string(input.resource.id)
	is_string(input.context.taskId)
	is_string(input.context.tenant)
	is_string(input.context.source)
	is_string(input.context.workflow)
	is_array(input.context.plan)
	is_number(input.context.risk)
	is_string(input.context.behaviour)
	is_number(input.context.delegationDepth)
	is_number(input.context.weekday)
	is_number(input.context.hour)
	is_string(input.context.at)
	is_call_if_called
}

is_call_if_called if input.action.name != "call"

is_call_if_called if {
	is_string(input.action.properties.tool)
	is_string(input.action.properties.verb)
	input.action.properties.access in {"read", "write"}
}
