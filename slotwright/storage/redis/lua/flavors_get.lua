-- name, project ('' for any)
local answer = {'ok'}
add_flavor(answer, ARGV[1], ARGV[2])
return #answer > 1 and answer or {'missing'}
