/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: what the planner's files share. Internal to plan/. */
#pragma once

#include "../model/children.h"
#include "notes.h"
#include "planner.h"

/* A wanted link whose master or parent has that name. */
struct relative {
	const char *to;
	const struct link *link;
};

/* What a link that is to be made takes on its parent (kind->slot). */
struct slot {
	const struct link *link;
	const char *parent;
};

/* Ops by position of the link they are about in the actual model; each number is one more than the op's, 0: none. */
struct trail {
	struct notes first, last;
	uint32_t *next; /* by op */
	size_t n;	/* ops taken in so far */
};

struct planner {
	const struct diff_input *in;
	struct diff diff;
	struct plan *plan;
	struct children children;   /* of in->actual */
	bool has_down_vlan;	    /* wanted or there */
	struct link *firewall_link; /* stands for the firewall where an op is about no network alone; the plan's */
	bool made;		    /* the ops that make new links are in the plan */

	/* planner-index.c */
	size_t *places; /* by position in the effective model: one more than the place in diff, 0: no difference */
	struct notes removals;	    /* by position in the actual model: the same of what deletes it */
	struct relative *relatives; /* sorted by name, then by position */
	size_t n_relatives;
	struct slot *slots; /* sorted */
	size_t n_slots;
	const struct address **addresses; /* sorted; of the links that differ, as wanted */
	size_t n_addresses;
	struct trail trail;
};

/* Appends an op about a wanted link (and what is there of it). */
struct op *op_add(struct planner *p, enum op_type type, const struct link *link, const struct link *have);
/* A copy of a link that the plan owns, for values that only exist on the way. */
struct link *plan_scratch(struct planner *p, const struct link *like);
/* Is anything of this mask a row of that place? */
uint64_t rows_at(const struct values *v, uint64_t rows, enum place place);
/* The rows whose value is the name of another link: they are sent when that link is in place. */
uint64_t rows_naming(const struct values *v, uint64_t rows);
/* Rows with this change class or a costlier one that includes it. */
uint64_t rows_needing_down(const struct values *v, uint64_t rows);
uint64_t rows_needing_no_ports(const struct values *v, uint64_t rows);
/* How many links stand below (VLANs: parents) or above (masters); orders creation and deletion. */
unsigned parent_depth(const struct model *m, const struct link *l);
unsigned master_depth(const struct model *m, const struct link *l);
/* The master it is to have; one that nobody declares, as it is (a port goes back to where it was found). NULL: none. */
const struct link *wanted_master(const struct planner *p, const struct link *want);
bool joins_late(const struct planner *p, const struct link_diff *d);

/* Links that are made or made anew. */
bool is_new(const struct link_diff *d);
/* A port (or what stands on a link) that neither we nor the configuration answer for. */
bool is_cut_off(const struct diff_input *in, const struct link *port);
/* Has the link ports, or links standing on it, that are not ours and that its removal cuts off? */
bool cuts_off(const struct planner *p, const struct link *have);
/* Does the plan delete the link (to make it anew, perhaps), or what it stands on? */
bool is_going(const struct planner *p, const struct link *have);
/* Did the ops so far delete the link, or what it stands on? */
bool is_deleted(struct planner *p, const struct link *have);
/* planner-index.c: find_diff() and wanted_relatives() serve from planner_index() on, the rest from
 * planner_index_diffs() on, which comes when the list of differences is complete. */
void planner_index(struct planner *p);
void planner_index_diffs(struct planner *p);
void planner_done(struct planner *p);
/* The diff of a wanted link; NULL: it is as wanted. */
struct link_diff *find_diff(struct planner *p, const struct link *want);
/* Adds one for a link that has none. Moves the others. */
struct link_diff *add_diff(struct planner *p, const struct link *want);
/* What deletes the link (to make it anew, perhaps); NULL: nothing. */
const struct link_diff *find_removal(const struct planner *p, const struct link *have);
/* The wanted links whose master or parent has that name, in the configuration's order. */
const struct relative *wanted_relatives(struct planner *p, const char *name, size_t *n);
/* Is a link to be made on that parent for which this one has to go (a VLAN of the same id and protocol)? */
bool is_slot_wanted(const struct planner *p, const struct link *l, const char *parent);
/* Is the address wanted on a link that differs? */
bool is_wanted_somewhere(const struct planner *p, const struct address *a);
/* The next op so far about the link as it is, after that one; NULL: the first, and at the end. Valid until one is
 * added. */
const struct op *op_about(struct planner *p, const struct link *have, const struct op *after);
/* After the link was set up: VLANs that are to be down went up with it (net/8021q/vlan.c, vlan_device_event()). */
void plan_keep_down(struct planner *p, const struct link *parent);
/* Where the first of these rows that has a line was written. */
struct loc plan_loc(const struct values *v, uint64_t rows, struct loc otherwise);
/* Marks an op as one of a burst. */
struct op *plan_glued(struct op *op, enum impact impact);

struct ranked {
	unsigned rank;
	size_t place; /* among equals: in the order of the configuration, then what it does not name */
	const struct link_diff *d;
};

/* plan-delete.c */
/* Deletes that something new needs out of the way, or all others. `order` is by delete_rank(). */
void plan_deletes(struct planner *p, const struct ranked *order, bool early);
bool goes_early(struct planner *p, const struct link *have);
/* The dnsmasq of a network ends before its bridge, and before another starts that is to serve its address; so does a
 * DHCP client. */
void plan_ends_of_programs(struct planner *p, const struct ranked *order);
/* Ports of bonds that were deleted since the plan had n ops: bond_release_and_destroy() left them down. */
void plan_up_again(struct planner *p, size_t n);
/* plan-create.c */
void plan_create_lower(struct planner *p, const struct link_diff *d);
void plan_create_upper(struct planner *p, const struct link_diff *d); /* what has a parent */
void plan_settle_new(struct planner *p, const struct link_diff *d);
/* What other programs of the host are to know: the firewall's zone before packets come, all else when it works. */
void plan_zone(struct planner *p, const struct link_diff *d);
void plan_host(struct planner *p, const struct link_diff *d);
/* plan-change.c */
void plan_change(struct planner *p, const struct link_diff *d);
/* What is to be down, when all changes are made: a VLAN with loose_binding stays up without its parent. */
void plan_down(struct planner *p, const struct link_diff *d);
/* The address generation mode of a link that stays up and had none: late, when it has left its master. */
void plan_link_local(struct planner *p, const struct link_diff *d);
/* Clears what another port of the same master is to have and this one has still (OPTION_UNIQUE). */
void plan_yield(struct planner *p, const struct link_diff *d);
/* The address again: a bond whose last port leaves takes a random one (bond_main.c, __bond_release_one()). */
void plan_up_with_mac(struct planner *p, const struct link_diff *d, bool up, bool restore_mac);
/* plan-crossed.c */
/* Is the link's master, as it is, to lie under the link? */
bool is_crossed(struct planner *p, const struct link *have);
/* Lets a port go whose master is to lie under it. */
void plan_uncross(struct planner *p, const struct link_diff *d);
/* plan-forwarding.c */
/* What is taken from all links is taken from those that are to keep it, too: they differ, then. */
void plan_forwarding_again(struct planner *p);
/* What all links lose is written before what one of them gets, and what all get after what one of them loses. */
void plan_forwarding_of_all(struct planner *p, bool on);
/* plan-port.c */
/* A bond that has just lost its last port has a random MAC: the one it had. */
void plan_left_alone(struct planner *p, const struct link *bond);
/* A bond leaves its port down (__bond_release_one()): sets it up, once, if that is wanted and no bond is to have it. */
void plan_up_after_release(struct planner *p, const struct link *want, const struct link *have,
			   const struct link *old_master);
/* What nobody uses joins its new bond before anything stands on that. */
void plan_first_join(struct planner *p, const struct link_diff *d);
void plan_join(struct planner *p, const struct link_diff *d);
/* What a port is to be that its bond's removal let go. */
void plan_left_behind(struct planner *p, const struct link_diff *d);
void plan_port_values(struct planner *p, const struct link_diff *d);
void plan_named_rows(struct planner *p, const struct link_diff *d);
void plan_pin_mtus(struct planner *p);
/* plan-vlans.c */
void plan_vlans(struct planner *p, const struct link_diff *d);
/* The VLANs of a port that was let go and attached again. */
void plan_vlans_again(struct planner *p, const struct link *want, const struct link *port, const struct link *bridge);
/* After vlan_default_pvid of a bridge changed: what it moved although it is declared, of all that else is as wanted. */
void plan_vlans_kept(struct planner *p, const struct link *bridge);
/* plan-firewall.c */
/* What is added and changed / what goes. */
void plan_firewall(struct planner *p);
void plan_firewall_removal(struct planner *p);
/* plan-address.c */
/* IPv4, of a new link that is not up yet. */
void plan_first_addresses(struct planner *p, const struct link_diff *d);
void plan_addresses(struct planner *p, const struct link_diff *d);
void plan_late_addresses(struct planner *p, const struct link_diff *d);
void plan_routes(struct planner *p, const struct link_diff *d);
void plan_extra(struct planner *p, const struct link_diff *d);
void plan_moved_off(struct planner *p, const struct link_diff *d);
/* What a link loses when it goes down, and its VLANs with it: IPv6 addresses and routes, put back as they were. */
void plan_lost(struct planner *p, const struct link *have, bool and_itself);
