-- project
local project = ARGV[1]
local answer = {'ok'}
if has_entries(project) then
    for _, entry in ipairs(call('ZRANGE', project .. '.catalogue', 0, -1)) do
        local queue = string.sub(entry, #project + 2)
        local key = entry_key(project, queue)
        if key then
            answer[#answer + 1] = queue
            answer[#answer + 1] = call('HGET', key, 'p_p')
        end
    end
end
return answer
