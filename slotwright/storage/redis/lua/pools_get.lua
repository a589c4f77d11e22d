-- name
local answer = {'ok'}
add_pool(answer, ARGV[1])
return #answer > 1 and answer or {'missing'}
