<?php
// The handler that Podio's documentation suggests: a switch on `type`, validating hook.verify
// itself. Served by PHP's own web server; prints one JSON line a webhook.

function say(array $object): void
{
    file_put_contents('php://stdout', json_encode($object) . "\n");
}

/** Asks Podio, and gives the status of its answer. */
function validate(string $hook_id, string $code): int
{
    $context = stream_context_create(['http' => [
        'method' => 'POST',
        'header' => 'Content-Type: application/json',
        'content' => json_encode(['code' => $code]),
        'ignore_errors' => true,
    ]]);
    file_get_contents(getenv('API_URL') . "/hook/{$hook_id}/verify/validate", false, $context);
    return (int) explode(' ', $http_response_header[0])[1];
}

switch ($_POST['type'] ?? '') {
    case 'hook.verify':
        $status = validate($_POST['hook_id'], $_POST['code']);
        say(['validated' => $_POST['hook_id'], 'status' => $status]);
        break;
    case 'item.create':
    case 'item.update':
    case 'item.delete':
        say(['type' => $_POST['type'], 'id' => $_POST['item_id'], 'revision' => $_POST['item_revision_id']]);
        break;
    case 'comment.create':
        say(['type' => $_POST['type'], 'id' => $_POST['comment_id'], 'item' => $_POST['item_id']]);
        break;
    default:
        http_response_code(400);
        say(['unknown' => $_POST]);
}
