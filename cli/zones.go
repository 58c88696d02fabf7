package cli

import _ "time/tzdata" // zones by name, also on a machine that has none
