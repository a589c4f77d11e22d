-- project. An entry that only one of the two sets has is none: inserted again, both have it.
local project = ARGV[1]
local answer = {'ok'}
if has_entries(project) then
    for _, entry in ipairs(call('ZRANGE', project .. '.catalogue', 0, -1)) do
        local queue = string.sub(entry, #project + 2)
        local pool = pool_of(project, queue)
        if pool and call('ZSCORE', 'catalogue', entry) then
            answer[#answer + 1] = queue
            answer[#answer + 1] = pool
        end
    end
end
return answer
